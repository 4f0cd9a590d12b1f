"""Makes tests/golden/imports: small model folders in the layouts that checkpoints were once kept in, and what transformers
makes of them.

  python tests/golden/make_imports.py [NAME…]      (torch 2.11.0, transformers 4.57.1, sentencepiece 0.2.1; seed 7)

Ten of them have exactly the files of ten checkpoints of medicine, finance and law, and the names of tensors in them; each
has a classification head as well, where the original has none, so that there are logits. The others are of layouts that
these ten do not have. Weights are random. `source` is the folder, `expected.json` has texts, token ids and logits, and
`tokenizer.json` is what transformers saves. Run it only to change the cases, with their names; the output is committed.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import sentencepiece
import torch
import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, RobertaTokenizerFast

here = pathlib.Path(__file__).resolve().parent / "imports"
SEED = 7
# The cases that are made; all if none is named.
ASKED = sys.argv[1:]
TOLERANCE = 1e-4
WORDS = """the patient denies chest pain fever and cough with shares of a bank rose fell sharply court held that lease
tenant shall pay Bank Profit Dr Smith Patient Court naïve café 漢 字 12 5 mg daily ##s ##ed ##ing ##er ! ? . , - ' %""".split()
TEXTS = [
    ["The patient denies chest pain, fever and cough.", None],
    ["Bank shares ROSE sharply: Profit 12.5%!", None],
    ["Dr Smith's naïve café 漢字", "the Court held that the tenant shall pay"],
    ["[MASK] <mask> pays a lease  with   blanks \u00a0 ﬁve Ａ", None],
    ["unheard-of words 😀 ßtraße", "Patient"],
]
OF_NUMBERS = [*TEXTS, ["of 12, 5, or 12,5 ``mg'' daily, m, 5", None]]
SIZES = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12)


def vocabulary(cased):
    words = WORDS if cased else sorted({word.lower() for word in WORDS}, key=[w.lower() for w in WORDS].index)
    letters = sorted({letter for word in words for letter in word if letter.isalnum()})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", *words, *letters, *("##" + letter for letter in letters)]
    return list(dict.fromkeys(tokens))


def corpus():
    rng = torch.Generator().manual_seed(SEED)
    pick = lambda: WORDS[int(torch.randint(len(WORDS), (1,), generator=rng))].replace("##", "")
    return "\n".join(" ".join(pick() for _ in range(9)) for _ in range(800)) + "\n"


def sentence_piece(path, kind, text=None, **options):
    """A model of `text`, or of the corpus, whose table of characters has a few lines, where the usual one has 240 kB."""
    rules = {"\u00a0": " ", "ﬁ": "fi", "Ａ": "A", "\t": " "}
    codes = lambda text: " ".join(f"{ord(c):X}" for c in text)
    # The file remembers its paths, so these are short ones.
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        pathlib.Path("corpus.txt").write_text(text or corpus())
        pathlib.Path("rules.tsv").write_text("".join(f"{codes(a)}\t{codes(b)}\n" for a, b in rules.items()))
        sentencepiece.SentencePieceTrainer.train(
            input="corpus.txt", model_prefix="m", model_type=kind, vocab_size=options.pop("size", 110),
            hard_vocab_limit=False, normalization_rule_tsv="rules.tsv", minloglevel=2, num_threads=1, **options)
        shutil.copy("m.model", path)


def add_pieces(path, pieces):
    """Puts pieces with their scores to a model."""
    model = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())
    for piece, score in pieces.items():
        model.pieces.add(piece=piece, score=score)
    path.write_bytes(model.SerializeToString())


def byte_bpe(folder, specials):
    with tempfile.TemporaryDirectory() as place:
        text = pathlib.Path(place) / "corpus.txt"
        text.write_text(corpus())
        tokenizer = ByteLevelBPETokenizer()
        tokenizer.train([str(text)], vocab_size=300, special_tokens=specials, show_progress=False)
        tokenizer.save_model(str(folder))


def random_model(config):
    torch.manual_seed(SEED)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, 0.3)
        else:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return model


def old_names(state):
    """As TensorFlow called the parameters of a norm."""
    rename = lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    return {rename(name): tensor for name, tensor in state.items()}


def language_head(state, width, count):
    """The head of pretraining beside that of the classes, whose matrix is the table of words."""
    words = next(tensor for name, tensor in state.items() if name.endswith("word_embeddings.weight"))
    more = {"cls.predictions.bias": torch.randn(count), "cls.predictions.transform.dense.weight": torch.randn(width, width),
            "cls.predictions.decoder.weight": words, "cls.seq_relationship.weight": torch.randn(2, width)}
    return {**state, **more}


def positions(state, count):
    """The buffer of positions, which older versions saved."""
    prefix = next(name for name in state if name.endswith("word_embeddings.weight")).split("embeddings.")[0]
    return {**state, f"{prefix}embeddings.position_ids": torch.arange(count).expand((1, -1))}


def as_older(state):
    """A state_dict as torch keeps it, with the versions of modules beside it."""
    from collections import OrderedDict
    ordered = OrderedDict(state)
    ordered._metadata = OrderedDict([("", {"version": 1})])
    return ordered


def shown(tensor):
    """Type, sizes and bytes of a tensor: the first digits of their SHA-256, in the order of its indices."""
    types = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.uint8: "U8"}
    content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{types[tensor.dtype]} {list(tensor.shape)} {hashlib.sha256(content).hexdigest()[:16]}"


class Case:
    """A folder that is made step by step, at first in a place of its own."""

    def __init__(self, name, family, args=(), tokenizer=None, can_load=True, texts=TEXTS, **options):
        self.name, self.family, self.args, self.can_load, self.texts = name, family, list(args), can_load, texts
        self.place = pathlib.Path(tempfile.mkdtemp()) / name
        self.source = self.place / "source"
        self.source.mkdir(parents=True)
        self.options, self.tokenizer_options = options, tokenizer or {}

    def words(self, cased, more=()):
        tokens = [*vocabulary(cased), *more]
        self.file("vocab.txt", "\n".join(tokens) + "\n")
        return len(tokens)

    def file(self, name, content):
        content = json.dumps(content, indent=2) + "\n" if isinstance(content, dict) else content
        (self.source / name).write_text(content)

    def finish(self, size, state=lambda state: state, drop=(), legacy=False, half=None, shards=1, keep=(), others=(), positions_=64):
        sizes = SIZES if self.family not in ("distilbert", "gpt2") else {}
        config = AutoConfig.for_model(self.family, vocab_size=size, max_position_embeddings=positions_, **{**sizes, **self.options})
        model = random_model(config)
        if half is not None:
            for parameter in model.parameters():
                parameter.data = parameter.data.to(half).float()
        tensors = state({name: tensor.to(half) if half else tensor for name, tensor in model.state_dict().items()})
        save = lambda tensors, name: torch.save(as_older(tensors), self.source / name, _use_new_zipfile_serialization=not legacy)
        if shards == 1:
            save(tensors, "pytorch_model.bin")
        else:
            names, place = list(tensors), {}
            for number in range(shards):
                file = f"pytorch_model-{number + 1:05}-of-{shards:05}.bin"
                part = names[number::shards]
                save({name: tensors[name] for name in part}, file)
                place.update({name: file for name in part})
            self.file("pytorch_model.bin.index.json", {"metadata": {"total_size": 1}, "weight_map": place})
        keys = config.to_diff_dict()
        keys.pop("transformers_version", None)
        keys = {**{key: value for key, value in config.to_dict().items() if key in keep}, **keys}
        for key in ("torch_dtype", "dtype", *drop):
            keys.pop(key, None)
        self.file("config.json", keys)
        for name in others:
            (self.source / name).write_bytes(b"not read")
        self.expect(model, config, tensors)
        if not ASKED or self.name in ASKED:
            shutil.rmtree(here / self.name, ignore_errors=True)
            shutil.copytree(self.place, here / self.name)
            print(f"{self.name}: {sum(file.stat().st_size for file in self.place.rglob('*') if file.is_file())} bytes")
        shutil.rmtree(self.place.parent)

    def expect(self, model, config, tensors):
        tokenizer = self.tokenizer()
        expected = {"args": self.args, "tolerance": TOLERANCE, "model_type": self.family,
                    "transformers": transformers.__version__, "texts": self.texts, "ids": [], "logits": []}
        expected["tensors"] = {name: shown(tensor) for name, tensor in sorted(tensors.items())}
        for text, pair in self.texts:
            batch = tokenizer(text, pair, return_tensors="pt", return_token_type_ids=self.family not in ("distilbert", "gpt2", "modernbert", "mpnet", "llama"))
            expected["ids"].append(batch["input_ids"][0].tolist())
            if max(expected["ids"][-1]) >= config.vocab_size:
                raise SystemExit(f"{self.name}: an id of {text!r} has no embedding")
            with torch.no_grad():
                expected["logits"].append(model(**batch).logits[0].tolist())
        if self.can_load and self.args == []:
            loaded = AutoModelForSequenceClassification.from_pretrained(self.source, attn_implementation="eager").float().eval()
            with torch.no_grad():
                again = loaded(**batch).logits[0]
            assert torch.allclose(again, torch.tensor(expected["logits"][-1]), atol=1e-5), self.name
        with tempfile.TemporaryDirectory() as place:
            tokenizer.save_pretrained(place)
            shutil.copy(pathlib.Path(place) / "tokenizer.json", self.place / "tokenizer.json")
        lines = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=True)}" for key, value in expected.items())
        (self.place / "expected.json").write_text("{" + lines + "}\n")

    def tokenizer(self):
        from transformers.models.auto.tokenization_auto import tokenizer_class_from_name, TOKENIZER_MAPPING_NAMES
        settings = self.source / "tokenizer_config.json"
        said = json.loads(settings.read_text()).get("tokenizer_class") if settings.exists() else None
        name = TOKENIZER_MAPPING_NAMES[self.family][1] if said in (None, "BertTokenizer", "RobertaTokenizer") else said
        return tokenizer_class_from_name(name).from_pretrained(self.source, **self.tokenizer_options)


def the_ten():
    bert = dict(type_vocab_size=2)
    three = dict(id2label={0: "positive", 1: "negative", 2: "neutral"}, label2id={"positive": 0, "negative": 1, "neutral": 2})
    model_files = ("tf_model.h5", "flax_model.msgpack")

    case = Case("prosusai-finbert", "bert", **three)
    size = case.words(cased=False)
    case.file("tokenizer_config.json", {"do_lower_case": True, "model_max_length": 512})
    case.file("special_tokens_map.json", {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"})
    case.finish(size, lambda state: positions(state, 64), others=model_files)

    case = Case("yiyanghkust-finbert-tone", "bert", can_load=False, num_labels=3, **bert)
    size = case.words(cased=False)
    case.finish(size, drop=("model_type", "architectures", "id2label", "label2id"), keep=("hidden_act", "type_vocab_size"))

    case = Case("nlpaueb-legal-bert-base-uncased", "bert", num_labels=2, **bert)
    size = case.words(cased=False)
    case.file("tokenizer_config.json", {"do_lower_case": True, "model_max_length": 512})
    case.file("special_tokens_map.json", {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"})
    case.finish(size, lambda state: language_head(state, 8, size), drop=("architectures",), others=model_files)

    case = Case("emilyalsentzer-Bio_ClinicalBERT", "bert", ["--cased"], {"do_lower_case": False}, num_labels=2, **bert)
    size = case.words(cased=True)
    case.finish(size, lambda state: language_head(state, 8, size), drop=("architectures",), others=model_files)

    case = Case("microsoft-BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext", "bert", num_labels=2, **bert)
    size = case.words(cased=False)
    case.file("tokenizer_config.json", {"do_lower_case": True})
    case.finish(size, lambda state: language_head(state, 8, size), others=model_files[1:])

    case = Case("dmis-lab-biobert-base-cased-v1.1", "bert", ["--cased"], {"do_lower_case": False}, can_load=False, num_labels=2, **bert)
    size = case.words(cased=True)
    case.finish(size, lambda state: language_head(state, 8, size), drop=("model_type", "architectures", "id2label", "label2id"),
                keep=("attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "initializer_range", "type_vocab_size"))

    case = Case("allenai-scibert_scivocab_uncased", "bert", num_labels=2, **bert)
    # Its alphabet has capitals, which no text ever reaches.
    size = case.words(cased=False, more=["\u0393", "P", "##TM", "##\u00c5"])
    case.finish(size, lambda state: old_names(language_head(state, 8, size)), drop=("architectures",), legacy=True)

    case = Case("pile-of-law-legalbert-large-1.7M-2", "bert", num_labels=4, **bert)
    size = case.words(cased=False)
    case.file("tokenizer_config.json", {"do_lower_case": True, "tokenizer_class": "BertTokenizer"})
    case.finish(size, lambda state: positions(language_head(state, 8, size), 64))

    case = Case("lexlms-legal-roberta-base", "roberta", num_labels=2, type_vocab_size=1)
    byte_bpe(case.source, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    case.tokenizer().save_pretrained(case.source)
    for name in ("vocab.json", "merges.txt"):
        (case.source / name).unlink()
    case.finish(300, lambda state: positions(state, 66), positions_=66)

    case = Case("microsoft-deberta-v3-base", "deberta-v2", num_labels=2, type_vocab_size=0, relative_attention=True, position_buckets=8,
                norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False,
                max_relative_positions=-1, pooler_dropout=0, pooler_hidden_act="gelu", layer_norm_eps=1e-7)
    sentence_piece(case.source / "spm.model", "unigram", pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]",
                   eos_piece="[SEP]", unk_piece="[UNK]")
    case.file("tokenizer_config.json", {"do_lower_case": False, "vocab_type": "spm"})
    case.finish(140, lambda state: {**state, "lm_predictions.lm_head.bias": torch.randn(140).half()}, drop=("architectures",),
                half=torch.float16, others=("tf_model.h5", "rust_model.ot"))


def the_others():
    framed = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    case = Case("roberta-sharded", "roberta", num_labels=3, type_vocab_size=1)
    byte_bpe(case.source, framed)
    case.finish(300, shards=3, positions_=66, half=torch.bfloat16)

    case = Case("gpt2", "gpt2", num_labels=2, n_embd=8, n_layer=2, n_head=2, pad_token_id=0, bos_token_id=0, eos_token_id=0)
    byte_bpe(case.source, ["<|endoftext|>"])
    buffers = lambda state: {**state, "transformer.h.0.attn.bias": torch.ones(1, 1, 64, 64, dtype=torch.uint8).tril(),
                             "transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}
    case.finish(300, buffers, positions_=64)

    case = Case("distilbert-f64", "distilbert", num_labels=2, dim=8, n_layers=2, n_heads=2, hidden_dim=12)
    size = case.words(cased=False)
    case.finish(size, half=torch.float64, legacy=True)

    case = Case("electra-transposed", "electra", num_labels=2, embedding_size=8)
    size = case.words(cased=False)
    # As a conversion from another program leaves them: the numbers lie column by column.
    columns = lambda state: {name: tensor.t().contiguous().t() if tensor.dim() == 2 else tensor for name, tensor in state.items()}
    case.finish(size, columns)

    for kind in ("unigram", "bpe"):
        case = Case(f"xlm-roberta-{kind}", "xlm-roberta", num_labels=2, type_vocab_size=1)
        sentence_piece(case.source / "sentencepiece.bpe.model", kind)
        case.finish(150, positions_=66)

    # Pieces that are a number with a comma behind it are hardly ever chosen.
    of_albert = dict(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]")
    case = Case("albert-spm", "albert", texts=OF_NUMBERS, num_labels=2, embedding_size=6, num_hidden_groups=1)
    sentence_piece(case.source / "spiece.model", "unigram", corpus().lower(), **of_albert)
    add_pieces(case.source / "spiece.model", {"▁12,": -2.0, "5,": -2.0, "m,": -2.0})
    case.finish(130, drop=("pad_token_id", "bos_token_id", "eos_token_id"), legacy=True, keep=("inner_group_num", "hidden_act"))

    case = Case("albert-cased", "albert", num_labels=3, embedding_size=8, num_hidden_groups=2)
    sentence_piece(case.source / "spiece.model", "unigram", **of_albert)
    case.file("tokenizer_config.json", {"do_lower_case": False, "keep_accents": True, "remove_space": False, "model_max_length": 512})
    case.file("special_tokens_map.json", {"mask_token": {"content": "[MASK]", "lstrip": False, "rstrip": False, "normalized": True,
                                                         "single_word": False}})
    case.finish(130)

    case = Case("camembert-spm", "camembert", num_labels=2, type_vocab_size=1, bos_token_id=5, eos_token_id=6)
    sentence_piece(case.source / "sentencepiece.bpe.model", "unigram", unk_id=0, bos_id=1, eos_id=2)
    case.finish(150, lambda state: positions(state, 66), positions_=66)

    # As it is saved again by a version that has added_tokens.json.
    case = Case("camembert-added", "camembert", num_labels=3, type_vocab_size=1)
    sentence_piece(case.source / "sentencepiece.bpe.model", "bpe", unk_id=0, bos_id=1, eos_id=2, user_defined_symbols="daily")
    case.file("special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
                                          "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>",
                                          "additional_special_tokens": ["<s>NOTUSED", "</s>NOTUSED"]})
    case.finish(150, positions_=66, half=torch.float16)

    # A decoder, whose rotary frequencies older versions saved as well.
    case = Case("llama-sharded", "llama", num_labels=3, num_key_value_heads=1, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    with tempfile.TemporaryDirectory() as place:
        byte_bpe(pathlib.Path(place), framed)
        RobertaTokenizerFast.from_pretrained(place).backend_tokenizer.save(str(case.source / "tokenizer.json"))
    case.file("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "unk_token": "<unk>",
                                        "model_input_names": ["input_ids", "attention_mask"]})
    frequencies = lambda state: {**state, **{f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(2) for layer in (0, 1)}}
    case.finish(300, frequencies, shards=2, half=torch.float16)

    for name, args, options, cased in (("mpnet", [], {}, False), ("mpnet-cased", ["--cased"], {"do_lower_case": False}, True)):
        case = Case(name, "mpnet", args, options, num_labels=2)
        tokens = ["<s>", "<pad>", "</s>", "<unk>", *vocabulary(cased), "<mask>"]
        case.file("vocab.txt", "\n".join(tokens) + "\n")
        case.finish(len(tokens), lambda state: positions(state, 66), positions_=66, legacy=cased)

    # A model of today whose weights somebody has saved as they once were.
    case = Case("modernbert", "modernbert", num_labels=2, global_attn_every_n_layers=2, local_attention=8, pad_token_id=1,
                bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2)
    with tempfile.TemporaryDirectory() as place:
        byte_bpe(pathlib.Path(place), framed)
        RobertaTokenizerFast.from_pretrained(place).backend_tokenizer.save(str(case.source / "tokenizer.json"))
    case.file("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "sep_token": "</s>",
                                        "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>"})
    case.finish(300)


the_ten()
the_others()
total = sum(file.stat().st_size for file in here.rglob("*") if file.is_file())
print(f"{total} bytes in all")
