"""Makes tests/golden/folders: whole model folders that pellucid read otherwise than transformers does, or nearly did.

  python tests/golden/make_folders.py      (torch 2.11.0; transformers 4.57.1, and again 5.24.0)

Each is a folder of tests/parity/fuzz.py with the changes below, and expected.json: texts with the token ids and logits of
the version of transformers that wrote it, or a word of the line in which the folder must be refused. Each version makes
its own folders anew; the output is committed. A failure of the fuzz becomes a case here.
"""

import json
import pathlib
import random
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import torch
import transformers

import fuzz
from fuzz import NEW, TOKENS, drop_file, drop_key, set_key

OUT = HERE / "folders"
# Files that no reader of a folder needs beside tokenizer.json.
SPARE = ["vocab.txt", "vocab.json", "merges.txt", "expected.json"]
ANY = (fuzz.of_any, "PreTrainedTokenizer")


def added(content, **flags):
    """A token in tokenizer_config.json that tokenizer.json lacks."""
    token = dict(dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=False),
                 **flags)

    def change(folder, _):
        fuzz.edit_json(folder, TOKENS, lambda keys: keys.setdefault("added_tokens_decoder", {}).update({"9999": token}))
    return change


def other_case(folder, _):
    fuzz.edit_json(folder, TOKENS, lambda keys: keys.update(do_lower_case=not keys.get("do_lower_case", False)))


# (family, seed, who makes its tokenizer, changes, a word of the refusal), by the name of the folder.
OF_FOUR = {
    "bert-cased": ("bert", 1, None, [set_key(TOKENS, "do_lower_case", False), set_key(TOKENS, "strip_accents", False),
                                     set_key(TOKENS, "tokenize_chinese_chars", False)], None),
    "bert-cut_left": ("bert", 2, None, [set_key(TOKENS, "truncation_side", "left"), added("[NEW]", normalized=True),
                                        set_key(TOKENS, "model_max_length", 9)], None),
    "bert-old_bfloat16": ("bert", 3, ANY, [fuzz.old_names, fuzz.other_floats], None),
    "bert-no_configuration": ("bert", 4, None, [drop_file(TOKENS)], None),
    "roberta-prefix_space": ("roberta", 1, None, [set_key(TOKENS, "add_prefix_space", True),
                                                  drop_key(TOKENS, "added_tokens_decoder")], None),
    "electra-older_tokens": ("electra", 1, None, [fuzz.add_legacy, set_key(TOKENS, "model_input_names", ["input_ids"])],
                             None),
    "gpt2-padding_in_text": ("gpt2", 3, None, [set_key(TOKENS, "model_input_names", ["input_ids", "attention_mask"])],
                             None),
    "gpt2-types": ("gpt2", 2, None, [set_key(TOKENS, "model_input_names", ["input_ids", "token_type_ids"])],
                   "model_input_names"),
    "deberta-v2-split": ("deberta-v2", 1, None, [set_key(TOKENS, "split_special_tokens", True)], None),
}
OF_FIVE = {
    "bert-other_class": ("bert", 1, ANY, [drop_file(TOKENS)], "tokenizer_class BertTokenizer"),
    "electra-normalised_token": ("electra", 2, None, [fuzz.add_legacy, set_key(TOKENS, "do_lower_case", False)], None),
    "roberta-decoder": ("roberta", 1, None, [added("[MASK]", special=True)], "added_tokens_decoder"),
    "deberta-v2-lower": ("deberta-v2", 2, None, [other_case], "normalizer"),
    "gpt2-padding_in_text": ("gpt2", 1, None, [], None),
    "modernbert-layer_types": ("modernbert", 1, ANY, [set_key(TOKENS, "tokenizer_class", "PreTrainedTokenizerFast")], None),
    "modernbert-no_class": ("modernbert", 2, ANY, [drop_key(TOKENS, "tokenizer_class"), drop_key(TOKENS, "mask_token")],
                            None),
}


def rows_of(chance, tokenizer):
    """Random texts, one with special tokens inside and one that ends with padding tokens."""
    pad = tokenizer.pad_token or ""
    special = f"{pad}The {tokenizer.mask_token or pad} patient{pad} newtoken [NEW] has pain"
    return fuzz.texts_of(chance, 5) + [{"text": special}, {"text": f"chest pain {pad} {pad}"}, {"text": "Café é 北京 病院"}]


def small(folder):
    """Leaves out what nobody reads, and the blanks of the largest file."""
    for name in SPARE:
        (folder / name).unlink(missing_ok=True)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")) + "\n")


def make(name, family, seed, maker, changes, refused, bases):
    folder, chance = OUT / f"{transformers.__version__}-{name}", random.Random(f"{name} {seed}")
    shutil.rmtree(folder, ignore_errors=True)
    fuzz.write(folder, family, chance, bases, maker or fuzz.MAKERS[family])
    for change in changes:
        change(folder, chance)
    small(folder)
    expected = {"made_by": f"tests/golden/make_folders.py, torch {torch.__version__}, transformers {transformers.__version__}"}
    if refused:
        expected["refused"] = refused
    else:
        rows = rows_of(chance, fuzz.loaded(folder)[1])
        found = fuzz.of_transformers(folder, rows)
        expected["rows"] = [row | dict(ids=ids, logits=logits) for row, (ids, logits) in zip(rows, found)]
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
    print(f"{folder.name:36} {sum(file.stat().st_size for file in folder.iterdir()):6} bytes")


if __name__ == "__main__":
    transformers.logging.set_verbosity(50)
    transformers.utils.logging.disable_progress_bar()
    bases = fuzz.Bases()
    for name, case in (OF_FIVE if NEW else OF_FOUR).items():
        make(name, *case, bases)
