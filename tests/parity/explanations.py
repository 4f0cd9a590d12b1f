"""Compares the explanations of pellucid with those of Captum, lime and plain torch, on the same folder and texts.

  python tests/parity/explanations.py --model DIR --texts FILE.tsv [--count 6] [--pellucid target/release/pellucid]

DIR is a fine-tuned model folder, FILE has lines of sentence, tab, label. One line a method: the lowest cosine over the
texts, and whether it is within its limit. LIME is compared with the mean of ten runs of `lime`. Kernel SHAP is compared,
for texts of at most 10 tokens, with the exact Shapley values: the largest share of the error that Captum makes with as
many samples, over five seeds each. Ends with 1 if anything is beyond its limit. Needs torch 2.11.0, transformers 4.57.1,
lime 0.2.0.1, and captum 0.9.0 for Kernel SHAP.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from reference import Text

LIMITS = {"grad": 0.9999, "gxi": 0.9999, "ig": 0.999, "occlusion": 0.9999, "lime": 0.98}
LIME_SAMPLES, LIME_RUNS = 1000, range(10)
# Fewer than the maskings of 8 players and more, so that there is something to draw.
SHAP_SAMPLES, SHAP_SEEDS, SHAP_PLAYERS = 128, range(5), (8, 10)


def ours(program, model, texts, *flags):
    with tempfile.TemporaryDirectory() as work:
        data = pathlib.Path(work) / "texts.jsonl"
        data.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        done = subprocess.run([program, "explain", "--model", model, "--data", data, "--json", "--device", "cpu",
                               "--checks", "gates", *flags], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cosine(left, right):
    left, right = np.array(left), np.array(right)
    if left.shape != right.shape:
        return float("nan")
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))


def squared_error(maps, exact):
    return float(np.mean([np.sum((np.array(map) - np.array(exact)) ** 2) for map in maps]))


def compare_maps(program, folder, texts):
    """The lowest cosine of each method."""
    told = ours(program, folder, [text.text for text in texts], "--method", ",".join(LIMITS))
    found = {name: [] for name in LIMITS}
    for text, line in zip(texts, told):
        if line["tokens"] != text.tokens() or line["target"] != text.target:
            sys.exit(f"other tokens or another class: {text.text}")
        norms, products = text.gradient()
        runs = text.lime([(seed, LIME_SAMPLES) for seed in LIME_RUNS])
        theirs = {"grad": norms, "gxi": products, "ig": text.integrated_gradients(), "occlusion": text.occlusion(),
                  "lime": np.mean(runs, axis=0)}
        for name, scores in theirs.items():
            found[name].append(cosine(line["methods"][name]["scores"], scores))
    return {name: min(cosines) for name, cosines in found.items()}


def compare_shap(program, folder, texts):
    """For each short text, our squared error as a share of Captum's."""
    short = [text for text in texts if SHAP_PLAYERS[0] <= len(text.players()) <= SHAP_PLAYERS[1]]
    told = [ours(program, folder, [text.text for text in short], "--method", "kernelshap", "--samples",
                 str(SHAP_SAMPLES), "--seed", str(seed)) for seed in SHAP_SEEDS] if short else []
    shares = []
    for index, text in enumerate(short):
        exact = text.shapley()
        mine = squared_error([line[index]["methods"]["kernelshap"]["scores"] for line in told], exact)
        shares.append(mine / squared_error([text.kernel_shap(SHAP_SAMPLES, seed) for seed in SHAP_SEEDS], exact))
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--texts", required=True, type=pathlib.Path, metavar="FILE")
    parser.add_argument("--count", default=6, type=int, metavar="N", help="texts from its start")
    parser.add_argument("--pellucid", default="target/release/pellucid", type=pathlib.Path, metavar="PROGRAM")
    asked = parser.parse_args()
    model = AutoModelForSequenceClassification.from_pretrained(asked.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    lines = [line.rsplit("\t", 1)[0] for line in asked.texts.read_text().splitlines()]
    texts = [Text(model, tokenizer, line) for line in lines[:asked.count]]
    right = True
    for name, lowest in compare_maps(asked.pellucid, asked.model, texts).items():
        # NaN is not within the limit.
        within = lowest >= LIMITS[name]
        right &= within
        print(f"{name:11} lowest cosine {lowest:.6f}  {'within' if within else 'BELOW'} {LIMITS[name]}", flush=True)
    lengths = [len(tokenizer(line)["input_ids"]) - 2 for line in lines]
    short = [line for line, length in zip(lines, lengths) if SHAP_PLAYERS[0] <= length <= SHAP_PLAYERS[1]]
    shares = compare_shap(asked.pellucid, asked.model, [Text(model, tokenizer, line) for line in short[:asked.count]])
    if shares:
        within = max(shares) < 1
        right &= within
        said = ", ".join(f"{share:.3f}" for share in shares)
        print(f"kernelshap  squared error as a share of Captum's: {said}  {'within' if within else 'BEYOND'} 1")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
