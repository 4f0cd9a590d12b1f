"""Long texts in windows, as transformers reads them: writes windows.json beside this file.

The tokenizer cuts the windows (return_overflowing_tokens), the model answers each, the logits are pooled.
Written with torch 2.11.0 and transformers 4.57.1:

    python3 tests/golden/make_windows.py
"""

import json
import pathlib

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent.parent / "data/models/teacher"
# (text, second text, tokens of a window, stride); of a pair the longer text has the windows.
SHORT = "Denies chest pain."
LONG = " ".join(
    f"Day {day}: the patient was reviewed on ward {day % 3}, {word} and afebrile, and asked about the {word} results."
    for day, word in enumerate(["stable", "breathless", "comfortable", "septic", "drowsy", "well", "confused"] * 2)
)
CASES = [
    (LONG, None, 64, 16),
    (LONG, None, 48, 0),
    (LONG, None, 32, 20),
    (SHORT, None, 64, 16),
    (LONG, SHORT, 64, 16),
    (SHORT, LONG, 64, 16),
]


def main():
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = AutoModelForSequenceClassification.from_pretrained(MODEL).eval()
    cases = []
    for text, pair, size, stride in CASES:
        which = True if pair is None else ("only_first" if len(text) > len(pair) else "only_second")
        cut = tokenizer(text, pair, truncation=which, max_length=size, stride=stride, return_overflowing_tokens=True)
        logits = []
        with torch.no_grad():
            for ids, types in zip(cut["input_ids"], cut.get("token_type_ids") or [None] * len(cut["input_ids"])):
                inputs = {"input_ids": torch.tensor([ids])}
                if types is not None:
                    inputs["token_type_ids"] = torch.tensor([types])
                logits.append(model(**inputs).logits[0])
        logits = torch.stack(logits)
        cases.append({
            "text": text, "pair": pair, "max_tokens": size, "stride": stride, "windows": cut["input_ids"],
            "mean": logits.mean(0).tolist(), "max": logits.max(0).values.tolist(),
        })
    (HERE / "windows.json").write_text(json.dumps({"cases": cases}) + "\n")


main()
