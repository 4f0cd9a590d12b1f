"""Makes folders of tests/golden/folders that are laid out as the relatives of ModernBERT (Ettin encoders, mmBERT and
BioClinical ModernBERT) and as Llama 3, small and with random weights.

  python tests/golden/make_relatives.py      (torch 2.11.0; transformers 4.48.0, and again 4.57.1 and 5.24.0; seed 48)

config.json and tokenizer_config.json have the keys of the published ones, also those that transformers does not know
(`position_embedding_type`, `layer_norm_eps`), and token ids that contradict the tokenizer where theirs do
(`cls_token_id` of mmBERT). Sizes are small. With 4.48.0, which they name, the folders are made; with the others Llama 3,
and the two that are saved again by such a version. Run it only to change the cases; the output is committed.
"""

import json
import os
import pathlib
import shutil
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForSequenceClassification, ModernBertConfig,
                          ModernBertForSequenceClassification, PreTrainedTokenizerFast)

OUT = pathlib.Path(__file__).resolve().parent / "folders"
SEED = 48
VERSION = transformers.__version__
# Runs of blanks, tabs and line ends are tokens of their own in both tokenizers.
TEXTS = [
    {"text": "The patient denies chest pain,\tfever and\n\ncough."}, {"text": "  two  blanks   before\t\tand after  \n"},
    {"text": "患者は東京の病院にいます。北京 没有 发烧"}, {"text": "👩‍⚕️ 😀😀 🇩🇪 naïve café e\u0301 \u00a0nbsp"}, {"text": "<mask> [MASK] <bos>x<eos> [SEP] <start_of_turn>user\nHi<end_of_turn>"},
    {"text": "مرحبا שלום हिन्दी ไทย \u200b\u00ad\ufeff"}, {"text": "▁ looks like a blank ▁▁ and does not"}, {"text": "\u0007 control\r\nline"},
    {"text": "A first text", "text_pair": "and\ta second\n😀"}, {"text": "|||IP_ADDRESS||| <|endoftext|> [unused0]", "text_pair": "don't x's"},
    {"text": "long " * 40},
]
CORPUS = [row["text"] + " " + row.get("text_pair", "") for row in TEXTS[:7]] * 2 + ["the patient has pain and fever , the court held"] * 9

COMMON = {
    "attention_bias": False, "attention_dropout": 0.0, "classifier_activation": "gelu", "classifier_bias": False, "classifier_dropout": 0.0,
    "classifier_pooling": "mean", "decoder_bias": True, "deterministic_flash_attn": False, "embedding_dropout": 0.0,
    "global_attn_every_n_layers": 3, "gradient_checkpointing": False, "hidden_activation": "gelu", "hidden_size": 8,
    "initializer_cutoff_factor": 2.0, "initializer_range": 0.02, "intermediate_size": 12, "layer_norm_eps": 1e-05, "local_attention": 8,
    "max_position_embeddings": 8192, "mlp_bias": False, "mlp_dropout": 0.0, "model_type": "modernbert", "norm_bias": False,
    "norm_eps": 1e-05, "num_attention_heads": 2, "num_hidden_layers": 4, "tie_word_embeddings": True, "torch_dtype": "float32",
}
ENGLISH = {"global_rope_theta": 160000.0}
CONFIGS = {
    # Ettin gives its local layers the base of the global ones.
    "ettin": COMMON | ENGLISH | {"local_rope_theta": 160000.0, "position_embedding_type": "sans_pos", "classifier_pooling": "mean",
                                 "repad_logits_with_grad": False, "sparse_pred_ignore_index": -100, "sparse_prediction": False,
                                 "causal_mask": False, "is_causal": False, "transformers_version": "4.48.0"},
    "bioclinical": COMMON | ENGLISH | {"local_rope_theta": 10000.0, "position_embedding_type": "absolute", "classifier_pooling": "mean",
                                       "repad_logits_with_grad": False, "sparse_pred_ignore_index": -100, "sparse_prediction": False,
                                       "transformers_version": "4.48.0"},
    "mmbert": COMMON | {"global_rope_theta": 160000, "local_rope_theta": 160000, "position_embedding_type": "sans_pos",
                        "repad_logits_with_grad": False, "sparse_pred_ignore_index": -100, "sparse_prediction": False,
                        "transformers_version": "4.48.0", "bos_token_id": 2, "cls_token_id": 1, "eos_token_id": 1, "sep_token_id": 1,
                        "pad_token_id": 0},
}


def of_bytes():
    """As ModernBERT: merged bytes, with runs of blanks and marks of its corpus as added tokens, and its own tokens last."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    first = ["|||IP_ADDRESS|||", "<|padding|>"]
    trainer = trainers.BpeTrainer(vocab_size=310, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken(first[0], normalized=True, special=False)])
    tokenizer.add_special_tokens([AddedToken(first[1], normalized=False)])
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True, special=False) for count in range(8, 1, -1)])
    tokenizer.add_tokens([AddedToken("|||EMAIL_ADDRESS|||", normalized=True, special=False)])
    names = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, lstrip=name == "[MASK]") for name in names])
    tokenizer.add_tokens([AddedToken(f"[unused{number}]", normalized=True, special=False) for number in range(3)])
    around(tokenizer, "[CLS]", "[SEP]")
    special = dict(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")
    said = special | {"clean_up_tokenization_spaces": True, "extra_special_tokens": {}, "model_input_names": ["input_ids", "attention_mask"],
                      "model_max_length": 8192, "tokenizer_class": "PreTrainedTokenizerFast"}
    return tokenizer, said


def of_gemma(kind):
    """As Gemma 2, whose tokenizer mmBERT has: merged characters, bytes for those without a piece, `▁` for a blank."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    roles = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    rest = ["<2mass>", "[@BOS@]", "<unused0>", "<start_of_turn>", "<end_of_turn>", "\n", "\n\n", "▁▁", "▁▁▁", "\t", "\t\t", "<table>", "<h1>"]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[*roles, *rest, *(f"<0x{byte:02X}>" for byte in range(256))],
                                  limit_alphabet=70, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer = Tokenizer.from_str(without_added(tokenizer))
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in [*roles, *rest[:2], "<start_of_turn>", "<end_of_turn>"]])
    tokenizer.add_tokens([AddedToken(name, normalized=False, special=False) for name in rest if name not in rest[:2] and "turn" not in name])
    around(tokenizer, "<bos>", "<eos>")
    special = dict(bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>", cls_token="<bos>", sep_token="<eos>",
                   mask_token="<mask>")
    said = special | {"add_bos_token": True, "add_eos_token": True, "additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"],
                      "clean_up_tokenization_spaces": False, "extra_special_tokens": {}, "model_input_names": ["input_ids", "attention_mask"],
                      "model_max_length": 8192, "padding_side": "right", "sp_model_kwargs": {}, "spaces_between_special_tokens": False,
                      "tokenizer_class": kind, "use_default_system_prompt": False}
    return tokenizer, said


def without_added(tokenizer):
    """The tokenizer as JSON, with none of the tokens that a trainer adds."""
    return json.dumps(json.loads(tokenizer.to_str()) | {"added_tokens": []})


def around(tokenizer, first, last):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, last)])


def make(name, kind, tokenizer_and_said, three):
    """Writes a folder as they are published: files of one version, written by hand."""
    folder, (tokenizer, said) = OUT / f"{VERSION}-{name}", tokenizer_and_said
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    added = {str(id): {"content": token.content, "lstrip": token.lstrip, "normalized": token.normalized, "rstrip": token.rstrip,
                       "single_word": token.single_word, "special": token.special}
             for id, token in sorted(tokenizer.get_added_tokens_decoder().items())}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added} | said, ensure_ascii=False) + "\n")
    special = {key: value for key, value in said.items() if key.endswith("_token") and isinstance(value, str)}
    (folder / "special_tokens_map.json").write_text(json.dumps(special) + "\n")
    (folder / "tokenizer.json").write_text(
        json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    ids = {f"{role}_token_id": tokenizer.token_to_id(said[f"{role}_token"]) for role in ("cls", "sep", "pad")}
    keys = ids | {"bos_token_id": ids["cls_token_id"], "eos_token_id": ids["sep_token_id"], "vocab_size": tokenizer.get_vocab_size() + 3}
    keys |= CONFIGS[kind]
    keys["architectures"] = ["ModernBertForSequenceClassification"]
    if three:
        labels = ["negative", "neutral", "positive"]
        keys |= {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)},
                 "problem_type": "single_label_classification"}
    (folder / "config.json").write_text(json.dumps(keys, sort_keys=True, indent=1) + "\n")
    model = random_model(ModernBertConfig.from_pretrained(folder))
    # The head for masked words, which a checkpoint of pretraining has beside.
    state = model.state_dict() | {"decoder.bias": torch.zeros(keys["vocab_size"])}
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    expect(folder)


def llama_3(name):
    """Merged bytes, a token before each text, and neither a mask nor an unknown token, nor one for padding that is named."""
    folder = OUT / f"{VERSION}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    words = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(words), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=310, initial_alphabet=alphabet, show_progress=False))
    first, last, *more = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|finetune_right_pad_id|>", "<|eot_id|>"]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in (first, last, *more)])
    template = processors.TemplateProcessing(single=f"{first} $A", pair=f"{first} $A {first}:1 $B:1",
                                             special_tokens=[(first, tokenizer.token_to_id(first))])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=first, eos_token=last, model_max_length=131072,
                            model_input_names=["input_ids", "attention_mask"]).save_pretrained(folder)
    ids = {key: tokenizer.token_to_id(token) for key, token in (("bos_token_id", first), ("eos_token_id", last), ("pad_token_id", more[1]))}
    scaled = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
    rope = dict(rope_theta=500000.0, rope_scaling=scaled) if VERSION < "5" else dict(rope_parameters=scaled | {"rope_theta": 500000.0})
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size() + 2, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_labels=3,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512, rms_norm_eps=1e-5, **ids, **rope)
    random_model(config, LlamaForSequenceClassification).save_pretrained(folder)
    expect(folder)


def random_model(config, kind=ModernBertForSequenceClassification):
    torch.manual_seed(SEED)
    config.reference_compile = False
    model = kind._from_config(config, attn_implementation="eager").eval()
    del config.reference_compile
    for parameter in model.parameters():
        noise = torch.randn_like(parameter)
        parameter.data = noise * 0.3 if parameter.dim() > 1 else parameter.data + noise * 0.1
    return model


def save_again(name, source):
    """A folder that is made with 4.48.0, as this version saves it."""
    folder = OUT / f"{VERSION}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    AutoModelForSequenceClassification.from_pretrained(OUT / source).save_pretrained(folder)
    AutoTokenizer.from_pretrained(OUT / source).save_pretrained(folder)
    expect(folder)


def expect(folder):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").float().eval()
    model.config.reference_compile = False
    tokenizer, rows = AutoTokenizer.from_pretrained(folder), []
    for row in TEXTS:
        batch = tokenizer(row["text"], row.get("text_pair"), return_tensors="pt")
        with torch.no_grad():
            rows.append(row | {"ids": batch["input_ids"][0].tolist(), "logits": model(**batch).logits[0].tolist()})
    made_by = f"tests/golden/make_relatives.py, torch {torch.__version__}, transformers {VERSION}"
    (folder / "expected.json").write_text(json.dumps({"made_by": made_by, "rows": rows}, ensure_ascii=False) + "\n")
    print(f"{folder.name:32} {sum(file.stat().st_size for file in folder.iterdir()):6} bytes {type(tokenizer).__name__} {rows[8]['ids']}")


if __name__ == "__main__":
    if VERSION == "4.48.0":
        make("ettin-encoder", "ettin", of_bytes(), False)
        make("bioclinical-modernbert", "bioclinical", of_bytes(), True)
        make("mmbert", "mmbert", of_gemma("GemmaTokenizerFast"), True)
        make("mmbert-plain_class", "mmbert", of_gemma("PreTrainedTokenizerFast"), False)
    else:
        llama_3("llama-3")
        save_again("mmbert", "4.48.0-mmbert")
        save_again("ettin-encoder", "4.48.0-ettin-encoder")
