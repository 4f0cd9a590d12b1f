"""Makes tests/golden/explanations: a tiny BERT of random weights with its tokenizer, and its explanations as torch and
lime compute them, in the form of `pellucid explain --json`.

  python tests/golden/make_explanations.py

Seed 20; torch 2.11.0, transformers 4.57.1, lime 0.2.0.1. LIME is the mean of ten runs of 1000 samples.
"""

import json
import pathlib
import sys

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

FOLDER = pathlib.Path(__file__).parent / "explanations"
sys.path.insert(0, str(FOLDER.parent.parent / "parity"))
from reference import Text

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "film", "was", "not", "good", "bad", "slow", "##ly", "un", "##told", ",", ".", "a", "very", "plot"]
TEXTS = ["the film was not very good", "a slowly untold plot , not good , not bad", "good"]
LIME_RUNS = range(10)
LIME_SAMPLES = 1000


def make_model():
    torch.manual_seed(20)
    config = BertConfig(vocab_size=len(SPECIALS + WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=64, max_position_embeddings=32, num_labels=3, initializer_range=0.35,
                        id2label={0: "bad", 1: "fair", 2: "good"}, label2id={"bad": 0, "fair": 1, "good": 2})
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(FOLDER)
    vocabulary = {word: index for index, word in enumerate(SPECIALS + WORDS)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]",
                                   cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")
    tokenizer.save(str(FOLDER / "tokenizer.json"))
    return model, fast


def explain(model, tokenizer, line):
    text = Text(model, tokenizer, line)
    norms, products = text.gradient()
    runs = text.lime([(seed, LIME_SAMPLES) for seed in LIME_RUNS])
    maps = {"grad": norms, "gxi": products, "ig": text.integrated_gradients(), "occlusion": text.occlusion(),
            "lime": [sum(column) / len(runs) for column in zip(*runs)], "kernelshap": text.shapley()}
    rounded = {name: {"scores": [round(score, 7) for score in scores]} for name, scores in maps.items()}
    return {"text": line, "tokens": text.tokens(), "target": text.target,
            "probs": [round(float(share), 7) for share in text.probs], "methods": rounded}


def main():
    FOLDER.mkdir(exist_ok=True)
    model, tokenizer = make_model()
    lines = [json.dumps(explain(model, tokenizer, line)) for line in TEXTS]
    (FOLDER / "expected.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
