"""Reference values for the terms of the loss on reasons: writes reasons.json beside this file.

torch in f64, derivatives by torch.autograd; the formulas are written out here on their own. Seed 7.
    python3 tests/golden/make_reasons.py
"""

import json
import pathlib

import torch

torch.manual_seed(7)
f64 = torch.float64
lengths = [2, 3, 1]
embeddings = torch.randn(6, 3, dtype=f64, requires_grad=True)
w = torch.randn(3, 4, dtype=f64, requires_grad=True)
v = torch.randn(4, 3, dtype=f64, requires_grad=True)
means = torch.zeros(3, 6, dtype=f64)
start = 0
for row, length in enumerate(lengths):
    means[row, start : start + length] = 1 / length
    start += length
logits = torch.tanh(means @ embeddings @ w) @ v
leaves = {"embeddings": embeddings, "w": w, "v": v}
out = {"means": means, "embeddings": embeddings, "w": w, "v": v}


def derive(name, term):
    out[name] = term
    for leaf, gradient in zip(leaves, torch.autograd.grad(term, leaves.values(), retain_graph=True)):
        out[f"{name}_{leaf}"] = gradient


# After Ross et al. 2017, equation 1: sum over n, d of (A_nd d/dx_nd (z_nc - mean over k of z_nk))^2, c the row's class.
blamed = torch.tensor([0, 1, 1, 0, 1, 0], dtype=f64)
classes = [2, 0, 1]
total = sum(logits[row, c] - logits[row].mean() for row, c in enumerate(classes))
(slope,) = torch.autograd.grad(total, embeddings, create_graph=True)
derive("rrr", ((blamed[:, None] * slope) ** 2).sum())
out["blamed"] = blamed

# 1 - cosine of word scores, each row on its own; token 4 is part of no word, tokens 2 and 3 are one word.
(slope,) = torch.autograd.grad(sum(logits[row, c] for row, c in enumerate(classes)), embeddings, create_graph=True)
scores = (slope * embeddings).sum(-1)
wanted = torch.tensor([0.5, -1.0, 2.0, -0.3], dtype=f64)
words = [[[0], [1]], [[2, 3]], [[5]]]
term, at = 0, 0
for row in words:
    found = torch.stack([scores[tokens].sum() for tokens in row])
    target = wanted[at : at + len(row)]
    at += len(row)
    term = term + 1 - torch.nn.functional.cosine_similarity(found, target, dim=0)
derive("consistency", term)
out |= {"scores": scores, "wanted": wanted}
out |= {"pieces": torch.tensor([0, 1, 2, 3, 5]), "word_of_piece": torch.tensor([0, 1, 2, 2, 3])}
out["row_of_word"] = torch.tensor([0, 0, 1, 2])

flat = {name: tensor.detach().reshape(-1).tolist() for name, tensor in out.items()}
flat["made_by"] = f"make_reasons.py, torch {torch.__version__}, seed 7"
pathlib.Path(__file__).with_name("reasons.json").write_text(json.dumps(flat, indent=1) + "\n")
