"""How many maskings pellucid needs to be as near to the truth as `lime` with 1000 samples and Captum's Kernel SHAP with 512.

  python tests/parity/equal_error.py --model DIR --texts FILE.tsv [--count 4] [--pellucid target/release/pellucid]

DIR is a fine-tuned model folder, FILE has lines of sentence, tab, label. Texts of 13 words (LIME) and 13 tokens (Kernel
SHAP) are taken, of which all 8192 maskings are computed once and looked up from then on. LIME's truth is the
solution of `lime` with 50,000 samples, Kernel SHAP's are the exact Shapley values. For each text: the squared error that
pellucid makes with a third of the samples, as a share of the other's with all of them, both the mean over the same number
of seeds. Ends with 1 if a median share is 1 or more. Needs what `explanations.py` needs.
"""

import argparse
import os
import pathlib
import statistics
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from explanations import ours, squared_error
from reference import BATCH, Text
from transformers import AutoModelForSequenceClassification, AutoTokenizer

PLAYERS = 13
LIME_SAMPLES, TRUTH_SAMPLES, TRUTH_SEED = 1000, 50_000, 100
SHAP_SAMPLES = 512
SEEDS = range(20)
TIMES_FEWER = 3


class Looked(Text):
    """A text whose probabilities are computed once for each row of ids."""

    def __init__(self, model, tokenizer, text):
        self.known = {}
        super().__init__(model, tokenizer, text)

    def probabilities(self, ids):
        rows = [tuple(row) for row in ids.tolist()]
        new = list({row for row in rows if row not in self.known})
        # Rows of one length only: no padding.
        for start in range(0, len(new), BATCH):
            part = torch.tensor(new[start:start + BATCH])
            with torch.no_grad():
                found = self.model(input_ids=part, attention_mask=torch.ones_like(part)).logits.softmax(-1)
            self.known.update(zip(new[start:start + BATCH], found))
        return torch.stack([self.known[row] for row in rows])


def compare_lime(asked, texts):
    told = told_for(asked, texts, "lime", LIME_SAMPLES // TIMES_FEWER)
    shares = []
    for mine, text in zip(told, texts):
        *theirs, truth = text.lime([(seed, LIME_SAMPLES) for seed in SEEDS] + [(TRUTH_SEED, TRUTH_SAMPLES)])
        shares.append(squared_error(mine, truth) / squared_error(theirs, truth))
    return shares


def compare_shap(asked, texts):
    told = told_for(asked, texts, "kernelshap", SHAP_SAMPLES // TIMES_FEWER)
    shares = []
    for mine, text in zip(told, texts):
        exact = text.shapley()
        shares.append(squared_error(mine, exact)
                      / squared_error([text.kernel_shap(SHAP_SAMPLES, seed) for seed in SEEDS], exact))
    return shares


def told_for(asked, texts, method, samples):
    """The maps of pellucid: for each text one a seed."""
    runs = [ours(asked.pellucid, asked.model, [text.text for text in texts], "--method", method, "--samples",
                 str(samples), "--seed", str(seed)) for seed in SEEDS]
    return [[run[index]["methods"][method]["scores"] for run in runs] for index in range(len(texts))]


def told_line(name, samples, peer, shares):
    print(f"{name:11} error with {samples // TIMES_FEWER} maskings as a share of that of {peer} with {samples}: "
          + ", ".join(f"{share:.2f}" for share in shares) + f"; median {statistics.median(shares):.2f}", flush=True)
    return statistics.median(shares) < 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=pathlib.Path, metavar="DIR")
    parser.add_argument("--texts", required=True, type=pathlib.Path, metavar="FILE")
    parser.add_argument("--count", default=4, type=int, metavar="N", help="texts of each kind")
    parser.add_argument("--pellucid", default="target/release/pellucid", type=pathlib.Path, metavar="PROGRAM")
    asked = parser.parse_args()
    model = AutoModelForSequenceClassification.from_pretrained(asked.model).eval()
    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    lines = [line.rsplit("\t", 1)[0] for line in asked.texts.read_text().splitlines()]
    words = [line for line in lines if len(line.split()) == len(set(line.split())) == PLAYERS]
    tokens = [line for line in lines if len(tokenizer(line)["input_ids"]) - 2 == PLAYERS]
    if min(len(words), len(tokens)) < asked.count:
        sys.exit(f"{asked.texts}: not {asked.count} texts of {PLAYERS} words and of {PLAYERS} tokens")
    fewer = told_line("kernelshap", SHAP_SAMPLES, "Captum",
                      compare_shap(asked, [Looked(model, tokenizer, line) for line in tokens[:asked.count]]))
    fewer &= told_line("lime", LIME_SAMPLES, "lime",
                       compare_lime(asked, [Text(model, tokenizer, line) for line in words[:asked.count]]))
    sys.exit(0 if fewer else 1)


if __name__ == "__main__":
    main()
