"""Random model folders of every family through pellucid and transformers, which must agree or refuse.

  python tests/parity/fuzz.py [--pellucid target/release/pellucid] [--count 20] [--seed 1] [--family bert] [--only N]

For each family some folders with a random configuration, random weights and a random tokenizer, as the installed
transformers writes them; then some of their keys, files and tensors are changed as other programs and older versions
have them. Random texts go through `pellucid predict` and, one by one, through transformers. Right is: the same logits
within 1e-4; or a refusal of pellucid in one line that names a key, a file or a tensor, of something that is listed in
REFUSED or that transformers cannot compute either. Everything else is printed with its seed, and the folder is kept
under --keep. Ends with 1 if there was any. Needs torch 2.11.0, and transformers 4.57.1 or 5.24.0.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

LIMIT = 1e-4
NEW = int(transformers.__version__.split(".")[0]) >= 5
SPARE = 12  # rows of the embeddings for tokens that are added
WORDS = """The patient has severe chest pain since Monday and no fever; café naïve Ångström résumé don't
 12.5mg 3/4 x-ray STRASSE Straße ﬁnal İstanbul Привет мир это тест ёлка Ελλάδα 東京 病院 患者は 北京 한국어 병원
 שלום مرحبا हिन्दी ไทย 😀 👩‍⚕️ 🇩🇪 e\u0301 a\u0300 \u200b \u00ad … — “quoted” ‘it’ ½ № ☎ tab\tend \u3000wide
 line\nbreak \u00a0nbsp \ufeffbom #tag @user http://a.b/c?d=e <b> [MASK] <mask> [SEP] </s> <s> [CLS] [PAD] <pad>
 <|endoftext|> [UNK] <unk> [NEW] <extra> newtoken  double  ``x'' ALLCAPS aA1 __init__ ( ) , . ! ?""".split(" ")
CORPUS = [" ".join(WORDS), " ".join(reversed(WORDS))] * 3

# What pellucid refuses though transformers computes it, by how the line says it.
REFUSED = [r"is_decoder", r"add_cross_attention", r"problem_type", r"one output is a score", r"position_embedding_type",
           r"pruned_heads", r"auto_map", r"remove \w+$", r"hidden_act", r"activation", r"token_type_ids",
           r"relative_attention", r"conv_kernel_size", r"max_input_chars_per_word", r"per_layer_config",
           r"rope_parameters", r"rope_scaling", r"id2label", r"cannot read pairs",
           r"model_input_names", r"of transformers 5 makes", r"rope_theta", r"partial_rotary_factor", r"sliding_window",
           r"use_bidirectional_attention", r"inner_group_num", r"add_prefix_space is not supported"]


def trained(model, trainer, pre, normalizer=None):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


class Bases:
    """Vocabularies, trained once."""

    def __init__(self):
        bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        roberta = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        self.pieces = trained(
            models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=340, special_tokens=bert, show_progress=False),
            pre_tokenizers.BertPreTokenizer()).get_vocab()
        of_bytes = trained(
            models.BPE(), trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                              special_tokens=[*roberta, "<|endoftext|>"], show_progress=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False))
        state = json.loads(of_bytes.to_str())["model"]
        self.bytes = state["vocab"], [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in state["merges"]]
        unigram = trained(
            models.Unigram(), trainers.UnigramTrainer(vocab_size=260, unk_token="<unk>", special_tokens=roberta[:4], show_progress=False),
            pre_tokenizers.Metaspace())
        self.unigram = [tuple(one) for one in json.loads(unigram.to_str())["model"]["vocab"]]
        self.bert, self.roberta = bert, roberta
        fallback = [f"<0x{byte:02X}>" for byte in range(256)]
        words = trained(
            models.BPE(), trainers.BpeTrainer(
                vocab_size=520, special_tokens=["<unk>", "<s>", "</s>", "<pad>", "<bos>", "<eos>", "<mask>", *fallback],
                show_progress=False),
            pre_tokenizers.Metaspace(split=True))
        state = json.loads(words.to_str())["model"]
        self.words = state["vocab"], [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in state["merges"]]


def maybe(chance, share=0.5):
    return chance.random() < share


def common_options(chance):
    options = {}
    if maybe(chance, 0.3):
        options["truncation_side"] = "left"
    if maybe(chance, 0.2):
        options["padding_side"] = "left"
    if maybe(chance):
        options["model_max_length"] = chance.choice([5, 12, 20, 32, 512])
    if maybe(chance, 0.15):
        options["split_special_tokens"] = True
    if maybe(chance, 0.2):
        options["model_input_names"] = chance.choice([
            ["input_ids", "attention_mask"], ["input_ids", "token_type_ids", "attention_mask"]])
    if maybe(chance, 0.3):
        options["extra_special_tokens" if NEW else "additional_special_tokens"] = chance.choice(
            [["<extra>"], ["<extra>", "[NEW]"]])
    return options


def of_bert(chance, bases, cls):
    options = common_options(chance)
    for key, values in (("do_lower_case", [True, False]), ("strip_accents", [None, True, False]),
                        ("tokenize_chinese_chars", [True, False])):
        if maybe(chance, 0.6):
            options[key] = chance.choice(values)
    if NEW:
        return cls(vocab=bases.pieces, **options)
    with tempfile.NamedTemporaryFile("w", suffix="vocab.txt", encoding="utf-8") as file:
        file.write("".join(token + "\n" for token, _ in sorted(bases.pieces.items(), key=lambda one: one[1])))
        file.flush()
        return cls(vocab_file=file.name, **options)


def of_mpnet(chance, bases, cls):
    pieces = dict(bases.pieces)
    for token in ("<s>", "<pad>", "</s>", "<mask>"):
        pieces.setdefault(token, len(pieces))
    changed = types.SimpleNamespace(pieces=pieces)
    return of_bert(chance, changed, cls)


def of_albert(chance, bases, cls):
    options = common_options(chance)
    rest = [one for one in bases.unigram if one[0] not in bases.roberta]
    vocab = [(token, 0.0) for token in ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")] + rest
    if NEW:
        options |= {key: False for key in ("do_lower_case", "keep_accents") if maybe(chance, 0.3)}
        return cls(vocab=vocab, **options)
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=1, byte_fallback=False))
    steps = [normalizers.NFKD(), normalizers.StripAccents()] if maybe(chance) else []
    steps += [normalizers.Lowercase()] if maybe(chance) else []
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), *steps])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return cls(tokenizer_object=tokenizer, **options)


def of_words(chance, bases, cls):
    """Pieces of words with bytes for what has none, as Llama and Gemma have them."""
    options, gemma = common_options(chance), "Gemma" in cls.__name__
    for key in ("add_bos_token", "add_eos_token"):
        if maybe(chance, 0.4):
            options[key] = maybe(chance)
    vocab, merges = bases.words
    if not gemma and maybe(chance):
        options["pad_token"] = "<pad>"
    if NEW:
        if not gemma and maybe(chance, 0.3):
            options["legacy"] = maybe(chance)
        return cls(vocab=vocab, merges=merges, **options)
    tokenizer = Tokenizer(models.BPE(vocab, merges, fuse_unk=True, byte_fallback=True, unk_token="<unk>"))
    if gemma:
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    elif maybe(chance):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return cls(tokenizer_object=tokenizer, **options)


def of_bytes(chance, bases, cls):
    options = common_options(chance)
    if maybe(chance):
        options["add_prefix_space"] = maybe(chance)
    if "Qwen2" in cls.__name__:
        options.pop("add_prefix_space", None)
    if "GPT2" in cls.__name__ and maybe(chance, 0.7):
        options["pad_token"] = chance.choice(["<pad>", "<|endoftext|>", "[PAD]"])
    vocab, merges = bases.bytes
    if NEW:
        return cls(vocab=vocab, merges=merges, **options)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "v.json").write_text(json.dumps(vocab))
        (work / "m.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
        return cls(vocab_file=str(work / "v.json"), merges_file=str(work / "m.txt"), **options)


def of_pieces(chance, bases, cls):
    """Unigram, as XLM-RoBERTa and DeBERTa have it."""
    options, deberta = common_options(chance), "Deberta" in cls.__name__
    vocab = list(bases.unigram)
    if deberta:
        named = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]", "<unk>": "[UNK]"}
        vocab = [(named.get(token, token), score) for token, score in vocab] + [("[MASK]", 0.0)]
        if NEW and maybe(chance, 0.4):
            options["split_by_punct"] = True
        if NEW and maybe(chance, 0.4):
            options["do_lower_case"] = True
    else:
        vocab.append(("<mask>", 0.0))
    if NEW:
        return cls(vocab=vocab, **options)
    at = next(place for place, (token, _) in enumerate(vocab) if token in ("<unk>", "[UNK]"))
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=at, byte_fallback=False))
    scheme = chance.choice(["always", "first", "never"])
    if deberta:
        steps = [normalizers.Lowercase()] if maybe(chance, 0.4) else []
        tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(Regex(r" {2,}"), " "),
                                                     normalizers.NFC(), normalizers.Strip()])
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme=scheme)])
        first, last = "[CLS]", "[SEP]"
        pair = f"{first}:0 $A:0 {last}:0 $B:1 {last}:1"
    else:
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                           pre_tokenizers.Metaspace(prepend_scheme=scheme)])
        first, last = "<s>", "</s>"
        pair = f"{first} $A {last} {last} $B {last}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=pair,
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, last)])
    return cls(tokenizer_object=tokenizer, **options)


def of_any(chance, bases, cls=PreTrainedTokenizerFast):
    """A tokenizer of random parts, as programs of all kinds write them."""
    kind = chance.choice(["pieces", "bytes", "unigram", "words"])
    names = dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    if kind == "pieces":
        tokenizer = Tokenizer(models.WordPiece(bases.pieces, unk_token="[UNK]", max_input_chars_per_word=100))
        tokenizer.pre_tokenizer = chance.choice([pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Whitespace()])
        tokenizer.normalizer = chance.choice([
            normalizers.BertNormalizer(lowercase=maybe(chance), strip_accents=chance.choice([None, True, False])),
            normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents()]),
            normalizers.Lowercase()])
    elif kind == "words":
        vocab = {name: at for at, name in enumerate(bases.bert)}
        for word in WORDS:
            vocab.setdefault(word, len(vocab))
        tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.normalizer = chance.choice([normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()])
    elif kind == "bytes":
        vocab, merges = bases.bytes
        tokenizer = Tokenizer(models.BPE(vocab, merges))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=maybe(chance), use_regex=maybe(chance, 0.8))
        names = dict(unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")
    else:
        tokenizer = Tokenizer(models.Unigram(bases.unigram, unk_id=3))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=chance.choice(["always", "first", "never"]))
        tokenizer.normalizer = normalizers.NFKC()
        names = dict(unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")
    first, last = names["cls_token"], names["sep_token"]
    if maybe(chance, 0.8):
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1",
            special_tokens=[(name, tokenizer.token_to_id(name)) for name in (first, last)])
    if maybe(chance, 0.3):
        tokenizer.add_tokens([AddedToken("newtoken", normalized=maybe(chance), single_word=maybe(chance),
                                         lstrip=maybe(chance), rstrip=maybe(chance))])
    return cls(tokenizer_object=tokenizer, **names, **common_options(chance))


def class_named(name):
    return getattr(transformers, f"{name}Fast", None) or getattr(transformers, name)


MAKERS = {
    "bert": (of_bert, "BertTokenizer"), "distilbert": (of_bert, "DistilBertTokenizer"),
    "electra": (of_bert, "BertTokenizer" if NEW else "ElectraTokenizer"), "roberta": (of_bytes, "RobertaTokenizer"),
    "gpt2": (of_bytes, "GPT2Tokenizer"), "xlm-roberta": (of_pieces, "XLMRobertaTokenizer"),
    "deberta-v2": (of_pieces, "DebertaV2Tokenizer"), "modernbert": (of_any, "PreTrainedTokenizer"),
    "camembert": (of_pieces, "CamembertTokenizer"), "mpnet": (of_mpnet, "MPNetTokenizer"),
    "albert": (of_albert, "AlbertTokenizer"), "llama": (of_words, "LlamaTokenizer"),
    "mistral": (of_words, "LlamaTokenizer"), "qwen2": (of_bytes, "Qwen2Tokenizer"),
    "qwen3": (of_bytes, "Qwen2Tokenizer"), "smollm3": (of_any, "PreTrainedTokenizer"),
    "gemma3_text": (of_words, "GemmaTokenizer"),
} | ({"eurobert": (of_any, "PreTrainedTokenizer")} if NEW else {})
DECODERS = ("llama", "mistral", "qwen2", "qwen3", "smollm3", "gemma3_text", "eurobert")
ACTIVATIONS = ["gelu", "gelu_new", "relu", "silu", "swish", "tanh", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu"]


def options_of(family, chance, tokenizer):
    heads, size, layers = chance.choice([(2, 4), (1, 8), (4, 4)]) + (chance.randint(1, 3),)
    hidden, inner = heads * size, chance.choice([7, 16])
    positions, activation = chance.choice([24, 40]), chance.choice(ACTIVATIONS)
    pad = tokenizer.pad_token_id
    options = dict(vocab_size=len(tokenizer) + SPARE, num_labels=chance.choice([2, 3, 4]))
    usual = dict(hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner,
                 hidden_act=activation, layer_norm_eps=chance.choice([1e-12, 1e-5, 1e-3]), pad_token_id=pad)
    if family in ("bert", "electra"):
        options |= usual | dict(max_position_embeddings=positions, type_vocab_size=chance.choice([1, 2, 2, 2, 3]))
        if family == "electra":
            options["embedding_size"] = chance.choice([hidden, 6])
    elif family in DECODERS:
        options |= decoder_options(family, chance, positions, pad)
    elif family == "mpnet":
        options |= usual | dict(max_position_embeddings=positions + 2)
    elif family == "albert":
        options |= usual | dict(max_position_embeddings=positions, type_vocab_size=chance.choice([1, 2, 2]),
                                embedding_size=chance.choice([hidden, 6]), num_hidden_groups=chance.randint(1, layers))
    elif family in ("roberta", "xlm-roberta", "camembert"):
        options |= usual | dict(max_position_embeddings=positions + pad + 1, type_vocab_size=chance.choice([1, 1, 2]))
    elif family == "distilbert":
        options |= dict(dim=hidden, n_layers=layers, n_heads=heads, hidden_dim=inner, activation=activation,
                        max_position_embeddings=positions, pad_token_id=pad,
                        sinusoidal_pos_embds=maybe(chance, 0.3))
    elif family == "gpt2":
        options |= dict(n_embd=hidden, n_layer=layers, n_head=heads, n_positions=positions,
                        activation_function=activation, n_inner=chance.choice([None, inner]),
                        scale_attn_weights=maybe(chance, 0.8), scale_attn_by_inverse_layer_idx=maybe(chance, 0.3),
                        layer_norm_epsilon=chance.choice([1e-5, 1e-3]), bos_token_id=0, eos_token_id=0,
                        pad_token_id=pad)
    elif family == "modernbert":
        options |= dict(hidden_size=hidden, num_hidden_layers=layers + 1, num_attention_heads=heads,
                        intermediate_size=inner, hidden_activation=activation, max_position_embeddings=positions,
                        local_attention=chance.choice([2, 3, 4, 8]), norm_eps=chance.choice([1e-5, 1e-3]),
                        pad_token_id=pad, bos_token_id=0, eos_token_id=0, cls_token_id=0, sep_token_id=0,
                        classifier_pooling=chance.choice(["cls", "mean"]), classifier_activation=activation)
        options |= {key: maybe(chance) for key in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias")}
        options |= modernbert_layers(chance, layers + 1)
    else:
        options |= usual | dict(
            max_position_embeddings=positions, relative_attention=maybe(chance, 0.95), type_vocab_size=chance.choice([0, 2]),
            position_buckets=chance.choice([-1, 4, 8]), max_relative_positions=chance.choice([-1, 6]),
            pos_att_type=chance.choice([["p2c", "c2p"], ["c2p"], "p2c|c2p", ["p2c"]]), share_att_key=maybe(chance),
            position_biased_input=maybe(chance), norm_rel_ebd=chance.choice(["layer_norm", "none"]),
            pooler_hidden_act=chance.choice(["gelu", "tanh"]), pooler_dropout=0)
        if maybe(chance, 0.3):
            options["embedding_size"] = 6
    return options


def random_rope(chance):
    """Keys of rotary positions, but the base."""
    kind = chance.choice(["default", "linear", "dynamic", "llama3", "yarn"])
    rope = {"rope_type": kind}
    if kind != "default":
        rope["factor"] = chance.choice([1.0, 2.0, 8.0])
    if kind == "llama3":
        rope |= dict(low_freq_factor=chance.choice([0.5, 1.0]), high_freq_factor=chance.choice([1.5, 4.0]),
                     original_max_position_embeddings=chance.choice([8, 16]))
    if kind == "yarn":
        for key, values in (("original_max_position_embeddings", [8, 16]), ("beta_fast", [2.0, 32.0]),
                            ("beta_slow", [0.2, 1.0]), ("attention_factor", [1.5]), ("mscale", [0.7]),
                            ("mscale_all_dim", [0.9]), ("truncate", [True, False])):
            if maybe(chance):
                rope[key] = chance.choice(values)
    return rope


def decoder_options(family, chance, positions, pad):
    heads, key_values, size = chance.choice([(2, 2, 4), (4, 2, 4), (4, 1, 6), (2, 1, 8)])
    layers = chance.randint(1, 4)
    if pad is None and family in ("gemma3_text", "smollm3", "eurobert"):
        pad = 0
    options = dict(hidden_size=heads * 4, intermediate_size=chance.choice([7, 16]), num_hidden_layers=layers,
                   num_attention_heads=heads, num_key_value_heads=key_values, max_position_embeddings=positions,
                   rms_norm_eps=chance.choice([1e-6, 1e-3]), pad_token_id=pad, bos_token_id=0, eos_token_id=0)
    options["hidden_activation" if family == "gemma3_text" else "hidden_act"] = chance.choice(ACTIVATIONS)
    if family in ("llama", "mistral", "qwen3", "gemma3_text", "eurobert"):
        options["head_dim"] = size
    for key, families in (("attention_bias", ("llama", "qwen3", "smollm3", "gemma3_text", "eurobert")),
                          ("mlp_bias", ("llama", "smollm3", "eurobert"))):
        if family in families:
            options[key] = maybe(chance)
    full, sliding = "full_attention", "sliding_attention"
    if family == "mistral":
        options["sliding_window"] = chance.choice([None, 1, 3, 100])
    if family in ("qwen2", "qwen3"):
        options |= dict(use_sliding_window=maybe(chance), sliding_window=chance.choice([1, 3]),
                        max_window_layers=chance.choice([0, 1, 28]))
    if family == "smollm3":
        options |= dict(use_sliding_window=maybe(chance), sliding_window=chance.choice([2, 4]))
        if maybe(chance):
            options["no_rope_layers"] = [chance.choice([0, 1]) for _ in range(layers)]
        else:
            options["no_rope_layer_interval"] = chance.choice([1, 2, 4])
    if family == "gemma3_text":
        options |= dict(sliding_window=chance.choice([2, 5]), query_pre_attn_scalar=chance.choice([4, 6]))
    if family in ("smollm3", "gemma3_text") and maybe(chance):
        options["layer_types"] = [chance.choice([full, sliding]) for _ in range(layers)]
    if family == "eurobert":
        options |= dict(classifier_pooling=chance.choice(["late", "mean", "bos"]), mask_token_id=0)
    theta = chance.choice([20.0, 1e4])
    if NEW and family == "gemma3_text":
        options["rope_parameters"] = {full: random_rope(chance) | {"rope_theta": theta},
                                      sliding: {"rope_type": "default", "rope_theta": 10.0}}
    elif NEW:
        options["rope_parameters"] = random_rope(chance) | {"rope_theta": theta}
    else:
        options["rope_theta"] = theta
        if maybe(chance):
            options["rope_scaling"] = random_rope(chance)
        if family == "gemma3_text":
            options["rope_local_base_freq"] = 10.0
    return options


def modernbert_layers(chance, layers):
    if not NEW:
        return dict(global_attn_every_n_layers=chance.choice([1, 2, 3]), global_rope_theta=chance.choice([1e4, 1.6e5]),
                    local_rope_theta=chance.choice([None, 1e4, 500.0]))
    options = {}
    if maybe(chance):
        options["layer_types"] = [chance.choice(["full_attention", "sliding_attention"]) for _ in range(layers)]
    if maybe(chance):
        def rope():
            found = {"rope_type": "default", "rope_theta": chance.choice([1e4, 500.0])}
            if maybe(chance, 0.3):
                found |= {"rope_type": "linear", "factor": 2.0}
            return found
        options["rope_parameters"] = {"full_attention": rope(), "sliding_attention": rope()}
    return options


def random_weights(model, chance):
    generator = torch.Generator().manual_seed(chance.randrange(1 << 30))
    for parameter in model.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data.copy_(noise * 0.4 if parameter.dim() > 1 else parameter.data + noise * 0.2)


# Changes to a folder. Each is given the folder and says what it has done.

def edit_json(folder, name, change):
    path = folder / name
    if not path.exists():
        return
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, indent=1))


def set_key(name, key, *values):
    def change(folder, chance):
        value = chance.choice(values)
        edit_json(folder, name, lambda keys: keys.__setitem__(key, value))
        return f"{name}: {key} = {json.dumps(value)}"
    return change


def drop_key(name, key):
    def change(folder, _):
        edit_json(folder, name, lambda keys: keys.pop(key, None))
        return f"{name}: no {key}"
    return change


def drop_file(name):
    def change(folder, _):
        (folder / name).unlink(missing_ok=True)
        return f"no {name}"
    return change


def add_decoded(folder, chance):
    """A token that tokenizer.json lacks, or has in another form."""
    token = dict(content=chance.choice(["[NEW]", "<extra>", "newtoken", "[MASK]", "<mask>"]), lstrip=maybe(chance),
                 rstrip=maybe(chance), normalized=maybe(chance), single_word=maybe(chance), special=maybe(chance))

    def change(keys):
        keys.setdefault("added_tokens_decoder", {})["9999"] = token
    edit_json(folder, "tokenizer_config.json", change)
    return f"tokenizer_config.json: added_tokens_decoder has {json.dumps(token)}"


def add_legacy(folder, _):
    edit_json(folder, "tokenizer_config.json", lambda keys: keys.pop("added_tokens_decoder", None))
    (folder / "added_tokens.json").write_text(json.dumps({"[NEW]": 9998, "newtoken": 9999}))
    return "added_tokens.json, no added_tokens_decoder"


def tensors(folder, change):
    path = folder / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in change(load_file(path)).items()}, path,
              metadata={"format": "pt"})


def other_floats(folder, chance):
    kind = chance.choice([torch.float16, torch.bfloat16, torch.float64])
    tensors(folder, lambda all: {name: tensor.to(kind) for name, tensor in all.items()})
    return f"weights are {kind}"


def old_names(folder, _):
    tensors(folder, lambda all: {re.sub(r"LayerNorm\.weight$", "LayerNorm.gamma",
                                        re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", name)): tensor
                                 for name, tensor in all.items()})
    return "gamma and beta"


def bare_names(folder, _):
    """Names of the encoder alone, without the prefix that a classifier puts before them."""
    prefix = re.compile(r"^(bert|distilbert|roberta|electra|transformer|model|deberta|mpnet|albert)\.")
    tensors(folder, lambda all: {prefix.sub("", name): tensor for name, tensor in all.items()})
    return "names without prefix"


def without_pooler(folder, _):
    tensors(folder, lambda all: {name: tensor for name, tensor in all.items() if "pooler" not in name})
    return "no pooler"


def one_output(folder, _):
    def first(name, tensor):
        return tensor[:1] if re.match(r"(classifier|score|classifier\.out_proj)\.(weight|bias)$", name) else tensor
    tensors(folder, lambda all: {name: first(name, tensor).clone() for name, tensor in all.items()})
    edit_json(folder, "config.json", lambda keys: keys.update(id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0}))
    return "one output"


CONFIG, TOKENS = "config.json", "tokenizer_config.json"
EDITS = [
    set_key(TOKENS, "do_lower_case", True, False), set_key(TOKENS, "strip_accents", None, True, False),
    set_key(TOKENS, "tokenize_chinese_chars", True, False), set_key(TOKENS, "add_prefix_space", True, False),
    set_key(TOKENS, "truncation_side", "left", "right"), set_key(TOKENS, "padding_side", "left"),
    set_key(TOKENS, "model_input_names", ["input_ids", "attention_mask"]),
    set_key(TOKENS, "model_input_names", ["input_ids", "token_type_ids", "attention_mask"]),
    set_key(TOKENS, "model_max_length", 7, 15, 1e30), set_key(TOKENS, "split_special_tokens", True),
    set_key(TOKENS, "clean_up_tokenization_spaces", True), set_key(TOKENS, "tokenizer_class", "PreTrainedTokenizerFast"),
    drop_key(TOKENS, "added_tokens_decoder"), drop_key(TOKENS, "tokenizer_class"), drop_key(TOKENS, "model_max_length"),
    drop_key(TOKENS, "mask_token"), drop_key(TOKENS, "model_input_names"), drop_file(TOKENS),
    drop_file("special_tokens_map.json"), add_decoded, add_decoded, add_legacy,
    set_key(CONFIG, "is_decoder", True, False), set_key(CONFIG, "add_cross_attention", True),
    set_key(CONFIG, "problem_type", "single_label_classification", "multi_label_classification", "regression"),
    set_key(CONFIG, "position_embedding_type", "absolute", "relative_key"), set_key(CONFIG, "pruned_heads", {"0": [0]}),
    set_key(CONFIG, "chunk_size_feed_forward", 1), set_key(CONFIG, "hidden_size", 8), set_key(CONFIG, "unknown_key", 7),
    set_key(CONFIG, "classifier_dropout", 0.3), set_key(CONFIG, "tokenizer_class", "BertTokenizer"),
    set_key(CONFIG, "rope_scaling", None, {"type": "linear", "factor": 2.0}), set_key(CONFIG, "partial_rotary_factor", 1.0),
    set_key(CONFIG, "sliding_window", None, 2), set_key(CONFIG, "rope_theta", 500.0), set_key(CONFIG, "pad_token_id", None),
    set_key(CONFIG, "head_dim", 6), set_key(CONFIG, "use_bidirectional_attention", True), set_key(CONFIG, "inner_group_num", 1, 2),
    set_key(CONFIG, "layer_norm_eps", 1e-2), set_key(CONFIG, "dtype", "float16"),
    set_key(CONFIG, "id2label", {"0": "no", "1": "yes"}), drop_key(CONFIG, "id2label"), drop_key(CONFIG, "architectures"),
    other_floats, other_floats, old_names, bare_names, without_pooler, one_output,
]


def random_text(chance):
    count = chance.choice([1, 2, 3, 6, 12, 60])
    joined = chance.choice([" ", " ", "  ", "", "\n"])
    return joined.join(chance.choice(WORDS) for _ in range(count)) or "x"


def texts_of(chance, count=20):
    pairs = maybe(chance, 0.4)
    rows = []
    for _ in range(count):
        row = {"text": random_text(chance)}
        while not row["text"].strip():
            row["text"] = random_text(chance)
        if pairs:
            row["text_pair"] = random_text(chance) + " y"
        rows.append(row)
    return rows


def write(folder, family, chance, bases, make_and_class):
    """A folder as transformers writes it."""
    make, name = make_and_class
    tokenizer = make(chance, bases, class_named(name))
    if maybe(chance, 0.3):
        tokenizer.add_tokens(["newtoken"])
    if family in DECODERS and "token_type_ids" in tokenizer.model_input_names:
        # Those of transformers do not take them.
        tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = ["input_ids", "attention_mask"]
    if family == "gpt2" and "token_type_ids" in tokenizer.model_input_names and maybe(chance, 0.8):
        # It takes them for words, which pellucid refuses.
        tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = ["input_ids", "attention_mask"]
    if tokenizer.pad_token_id is None and family not in ("gpt2", *DECODERS):
        raise RuntimeError("no padding token")
    config = AutoConfig.for_model(family, **options_of(family, chance, tokenizer))
    if family == "modernbert" and not NEW:
        config.reference_compile = False
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    random_weights(model, chance)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def written(folder, family, chance, bases):
    """A random folder; what was changed in it afterwards."""
    write(folder, family, chance, bases, (of_any, "PreTrainedTokenizer") if maybe(chance, 0.2) else MAKERS[family])
    return [chance.choice(EDITS)(folder, chance) for _ in range(chance.choice([0, 0, 1, 1, 2, 3]))]


def positions(config):
    most = getattr(config, "max_position_embeddings", 512)
    if config.model_type == "mpnet":
        return most - 2
    return most - config.pad_token_id - 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else most


def loaded(folder):
    """The model and the tokenizer of a folder, and the most tokens of a text."""
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    if told["missing_keys"] or told.get("mismatched_keys"):
        raise ValueError(f"weights are missing: {sorted(told['missing_keys'])[:3]}")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return model.eval(), tokenizer, int(min(tokenizer.model_max_length, positions(model.config)))


def of_transformers(folder, rows):
    """The token ids and the logits of each row."""
    model, tokenizer, longest = loaded(folder)
    answers = []
    for row in rows:
        batch = tokenizer(row["text"], row.get("text_pair"), truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            answers.append((batch["input_ids"][0].tolist(), model(**batch).logits[0].tolist()))
    return answers


def of_pellucid(program, folder, rows, work):
    data = work / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = subprocess.run([program, "predict", "--model", folder, "--data", data, "--json", "--device", "cpu"],
                          capture_output=True, text=True, cwd=work)
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if "pairs of texts" not in line]
        return None, "\n".join(lines[-1:]) if len(lines) < 4 else done.stderr
    return [json.loads(line)["logits"] for line in done.stdout.splitlines()], ""


class Outcome(collections.namedtuple("Outcome", "kind told")):
    pass


def judged(program, folder, rows, work):
    try:
        theirs, why = [logits for _, logits in of_transformers(folder, rows)], ""
    except Exception as error:
        theirs, why = None, f"{type(error).__name__}: {error}".splitlines()[0]
    ours, refusal = of_pellucid(program, folder, rows, work)
    if ours is None:
        if theirs is None:
            return Outcome("both refuse", f"{refusal} | {why}")
        if "\n" not in refusal and any(re.search(known, refusal) for known in REFUSED):
            return Outcome("refused", refusal)
        return Outcome("WRONG", f"refused: {refusal}")
    if theirs is None:
        return Outcome("transformers refuses", why)
    if len(ours) != len(theirs):
        return Outcome("WRONG", f"{len(ours)} rows, not {len(theirs)}")
    found = [max(abs(a - b) for a, b in zip(left, right)) if len(left) == len(right) else float("inf")
             for left, right in zip(ours, theirs)]
    worst = max(range(len(found)), key=lambda row: found[row])
    if found[worst] <= LIMIT:
        return Outcome("equal", "")
    return Outcome("WRONG", f"{found[worst]:.1e} in {sum(one > LIMIT for one in found)} rows, first {rows[worst]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pellucid", type=pathlib.Path, default="target/release/pellucid", metavar="PROGRAM")
    parser.add_argument("--count", type=int, default=20, help="folders of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", choices=list(MAKERS), action="append")
    parser.add_argument("--only", type=int, metavar="N", help="the folder of this number alone")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where folders that are wrong are kept")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    program = asked.pellucid.resolve()
    transformers.logging.set_verbosity(50)
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    bases, wrong = Bases(), 0
    for family in asked.family or MAKERS:
        counts = collections.Counter()
        for number in [asked.only] if asked.only is not None else range(asked.count):
            chance = random.Random(f"{asked.seed} {family} {number}")
            with tempfile.TemporaryDirectory() as work:
                work = pathlib.Path(work)
                folder = work / "model"
                edits = written(folder, family, chance, bases)
                rows = texts_of(chance)
                outcome = judged(program, folder, rows, work)
                counts[outcome.kind] += 1
                if outcome.kind == "WRONG":
                    wrong += 1
                    if asked.keep:
                        shutil.copytree(work, asked.keep / f"{family}-{asked.seed}-{number}", dirs_exist_ok=True)
                if outcome.kind == "WRONG" or asked.verbose:
                    print(f"{outcome.kind}: {family} --seed {asked.seed} --only {number}: {outcome.told[:400]}"
                          f" | {'; '.join(edits)}", flush=True)
        told = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"transformers {transformers.__version__} {family:12} {told}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
