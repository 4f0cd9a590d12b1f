"""Compares what `pellucid import` makes with transformers, live: every layout of a folder by every family.

  python tests/parity/layouts.py [--pellucid target/release/pellucid]

The first table has the folders of tests/golden/imports, ten of which have exactly the files of ten checkpoints of
medicine, finance and law. The second has the folders of tests/golden/families that the installed transformers reads,
each with a tokenizer of made-up words, whose weights are saved again in each of the layouts below; a cell is the largest
difference of logits. What is imported must open in transformers as well, to the same answers; in 5, which makes some
tokenizers anew, the last column of the first table only says whether it does. Ends with 1 if anything differs by more than
1e-4, has other token ids, or is refused without a word that is expected. Needs torch 2.11.0, and transformers 4.57.1 or
5.24.0; the token ids of the first table are those of 4.57.1, which converts old tokenizers otherwise than 5.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import parity
from parity import FAMILIES, LIMIT, NEW, Failed, add_tokenizer, is_readable, made_up, run, written

IMPORTS = FAMILIES.parent / "imports"
# What an import asks about where no file says it, by a word of its refusal.
ASKED = {"no model_type": "model_type"}


def logits_of(program, folder, rows, work):
    """Those of the program, of texts and pairs apart, as one file has either."""
    found = [None] * len(rows)
    for has_pair in (False, True):
        places = [place for place, row in enumerate(rows) if ("text_pair" in row) == has_pair]
        data = written(work / "texts.jsonl", [rows[place] for place in places])
        lines = run(program, "predict", "--model", folder, "--data", data, "--json", "--device", "cpu", cwd=work) if places else ""
        for place, line in zip(places, lines.splitlines()):
            found[place] = json.loads(line)["logits"]
    return torch.tensor(found)


def of_transformers(folder, rows, tokenizer=None):
    """The token ids and the logits of each row."""
    model, told = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    if told["missing_keys"]:
        raise Failed(f"transformers: {sorted(told['missing_keys'])[:3]} are missing")
    tokenizer = tokenizer or AutoTokenizer.from_pretrained(folder)
    batches = [tokenizer(row["text"], row.get("text_pair"), return_tensors="pt") for row in rows]
    if getattr(model.config, "type_vocab_size", 0) < 1 or model.config.model_type in ("mpnet", "modernbert"):
        batches = [{key: value for key, value in batch.items() if key != "token_type_ids"} for batch in batches]
    with torch.no_grad():
        logits = torch.cat([model.eval()(**batch).logits for batch in batches])
    return [batch["input_ids"][0].tolist() for batch in batches], logits


def largest(ours, theirs):
    if ours.shape != theirs.shape:
        raise Failed(f"logits of shape {list(ours.shape)}, not {list(theirs.shape)}")
    return (ours - theirs).abs().max().item()


def container_of(source):
    files = sorted(path.name for path in source.glob("*.bin"))
    kind = "zip" if (source / files[0]).read_bytes()[:2] == b"PK" else "legacy"
    return f"{len(files)} {kind}" if len(files) > 1 else kind


def compare_folder(program, golden, work):
    """A line of the first table, and whether it is right."""
    expected = json.loads((golden / "expected.json").read_text())
    rows = [{"text": text} | ({"text_pair": pair} if pair else {}) for text, pair in expected["texts"]]
    words = [golden.name[:48], expected["model_type"], container_of(golden / "source")]
    try:
        run(program, "import", golden / "source", "made", *expected["args"], cwd=work)
        encoder = Tokenizer.from_file(str(work / "made" / "tokenizer.json"))
        pairs = [(row["text"], row["text_pair"]) if "text_pair" in row else row["text"] for row in rows]
        same = [encoder.encode(*(pair if isinstance(pair, tuple) else (pair,))).ids for pair in pairs] == expected["ids"]
        gap = largest(logits_of(program, work / "made", rows, work), torch.tensor(expected["logits"]))
        reopened, good = reopened_in_transformers(work / "made", rows, expected)
        return [*words, "yes", "yes" if same else "NO", f"{gap:.1e}", reopened], same and gap <= LIMIT and (good or NEW)
    except Failed as error:
        return [*words, f"no: {error}"], False


def reopened_in_transformers(folder, rows, expected):
    """What transformers makes of an imported folder, and whether that is what it was before."""
    try:
        ids, logits = of_transformers(folder, rows)
    except Exception as error:
        return type(error).__name__, False
    if ids != expected["ids"]:
        return "other ids", False
    gap = largest(logits, torch.tensor(expected["logits"]))
    return f"{gap:.1e}", gap <= LIMIT


def with_names(change):
    return lambda state: {change(name): tensor for name, tensor in state.items()}


def to(kind):
    return lambda state: {name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def old_norms(name):
    return re.sub(r"LayerNorm\.weight$", "LayerNorm.gamma", re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", name))


def save_zip(state, folder):
    torch.save(state, folder / "pytorch_model.bin")


def save_legacy(state, folder):
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def sharded(state, folder, end, save):
    names, place = sorted(state), {}
    for number in (1, 2, 3):
        part = names[number - 1::3]
        file = f"{end[0]}-{number:05}-of-00003{end[1]}"
        save({name: state[name] for name in part}, folder / file)
        place.update({name: file for name in part})
    (folder / f"{end[0]}{end[1]}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": place}))


def save_shards(state, folder):
    sharded(state, folder, ("pytorch_model", ".bin"), torch.save)


def save_parts(state, folder):
    sharded(state, folder, ("model", ".safetensors"), lambda part, path: save_file(part, path, metadata={"format": "pt"}))


def without_type(folder):
    keys = json.loads((folder / "config.json").read_text())
    keys.pop("model_type"), keys.pop("architectures", None)
    (folder / "config.json").write_text(json.dumps(keys))


# How the weights are changed and saved, and what becomes of the rest of the folder.
LAYOUTS = {
    "zip": (dict, save_zip, None),
    "legacy": (dict, save_legacy, None),
    "3 shards": (dict, save_shards, None),
    "f16": (to(torch.float16), save_zip, None),
    "bf16": (to(torch.bfloat16), save_legacy, None),
    "f64": (to(torch.float64), save_zip, None),
    "gamma": (with_names(old_norms), save_zip, None),
    "module.": (with_names(lambda name: "module." + name), save_zip, None),
    "no model_type": (dict, save_zip, without_type),
    "safetensors in 3": (dict, save_parts, None),
}


def compare_layout(program, base, layout, rows, work):
    """What a cell of the second table says, and whether it is right."""
    change, save, after = LAYOUTS[layout]
    old, right = work / "old", work / "right"
    for folder in (old, right):
        shutil.copytree(base, folder)
    state = load_file(base / "model.safetensors")
    (old / "model.safetensors").unlink()
    save(change(state), old)
    # transformers is given the weights as this program should have understood them.
    rounded = {name: tensor.float() for name, tensor in change(state).items()} if change not in (dict,) else state
    rounded = {name.removeprefix("module."): tensor for name, tensor in rounded.items()}
    rounded = {name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"): tensor
               for name, tensor in rounded.items()}
    save_file(rounded, right / "model.safetensors", metadata={"format": "pt"})
    if after:
        after(old)
    made = old
    try:
        if save is not save_parts:
            made = work / "made"
            run(program, "import", old, made, cwd=work)
        ids, theirs = of_transformers(right, rows)
        gap = largest(logits_of(program, made, rows, work), theirs)
        again, reopened = of_transformers(made, rows)
        gap = max(gap, largest(reopened, theirs))
        return f"{gap:.0e}" if gap <= LIMIT and again == ids else f"{gap:.0e} WRONG", gap <= LIMIT and again == ids
    except Failed as error:
        if layout in ASKED and ASKED[layout] in str(error):
            return "asked", True
        print(f"  {base.name}, {layout}: {error}", flush=True)
        return "REFUSED", False


def line(words, widths):
    print("  ".join(word.ljust(width) for word, width in zip(words, widths)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pellucid", type=pathlib.Path, default="target/release/pellucid", metavar="PROGRAM")
    asked = parser.parse_args()
    program = asked.pellucid.resolve()
    transformers.logging.set_verbosity(50)
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    right = True
    print(f"transformers {transformers.__version__}")
    widths = (48, 12, 8, 6, 9, 10, 12)
    line(["folder", "family", "weights", "opens", "ids equal", "logits", "in transformers"], widths)
    for golden in sorted(IMPORTS.iterdir()):
        with tempfile.TemporaryDirectory() as work:
            words, good = compare_folder(program, golden, pathlib.Path(work))
        right &= good
        line(words, (*widths[:3], 0) if len(words) == 4 else widths)
    print()
    widths = (14, *(max(8, len(name)) for name in LAYOUTS))
    line(["family", *LAYOUTS], widths)
    seen = set()
    for golden in filter(is_readable, sorted(FAMILIES.iterdir())):
        family = json.loads((golden / "config.json").read_text())["model_type"]
        if family in seen:
            continue
        seen.add(family)
        with tempfile.TemporaryDirectory() as work:
            base = pathlib.Path(work) / "base"
            shutil.copytree(golden, base)
            (base / "expected.json").unlink()
            words = add_tokenizer(base)
            rows = [{"text": row["text"]} for row in made_up(words, ["x"], 8, random.Random(parity.SEED))]
            cells = []
            for number, layout in enumerate(LAYOUTS):
                place = pathlib.Path(work) / str(number)
                place.mkdir()
                cell, good = compare_layout(program, base, layout, rows, place)
                right &= good
                cells.append(cell)
        line([family, *cells], widths)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
