"""Writes the golden numbers beside this file, from the libraries that define them.

    python make_golden.py        needs numpy, scipy, scikit-learn and lime

Each file names the versions and seeds it was made with; `src/golden.rs` compares.
"""

import importlib.metadata
import itertools
import json
import math
import pathlib

import numpy
import scipy
import sklearn
from lime.lime_text import LimeTextExplainer
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

SEED = 20240611
HERE = pathlib.Path(__file__).parent
VERSIONS = {
    "numpy": numpy.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
    "lime": importlib.metadata.version("lime"),
}


def write(name, content):
    content = {"made_by": "make_golden.py", "seed": SEED, "versions": VERSIONS, **content}
    (HERE / name).write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")


def bits(row):
    return "".join("1" if present else "0" for present in row)


def probability(row):
    """A logistic of word weights with products of neighbours, known to golden.rs too."""
    n = len(row)
    weights = [((7 * w + 3) % 11) / 4 - 1.2 for w in range(n)]
    logit = sum(weight * present for weight, present in zip(weights, row))
    logit += 0.8 * sum(row[w] * row[w + 1] for w in range(0, n - 1, 3))
    return 1 / (1 + math.exp(-logit))


def run_lime(words, samples, seed):
    """`lime` itself on positions, all of them kept; also returns what it asked."""
    asked = []

    def predict(texts):
        rows = [[float(word != "UNKWORDZ") for word in text.split()] for text in texts]
        asked.extend(rows)
        return numpy.array([[1 - probability(row), probability(row)] for row in rows])

    explainer = LimeTextExplainer(
        bow=False, split_expression=r"\s+", feature_selection="none", random_state=seed
    )
    text = " ".join(f"w{word}" for word in range(words))
    found = explainer.explain_instance(text, predict, labels=(1,), num_samples=samples)
    coefficients = numpy.zeros(words)
    for word, coefficient in found.local_exp[1]:
        coefficients[word] = coefficient
    return asked, found, coefficients


def lime_case(words, samples, seed):
    asked, found, coefficients = run_lime(words, samples, seed)
    return {
        "words": words,
        "masks": [bits(row) for row in asked],
        "probabilities": [probability(row) for row in asked],
        "coefficients": coefficients.tolist(),
        "intercept": float(found.intercept[1]),
        "score": float(found.score),
        "local_prediction": float(found.local_pred[0]),
    }


def lime_mean(words, samples, runs):
    fits = numpy.array([run_lime(words, samples, SEED + run)[2] for run in range(runs)])
    return {
        "words": words,
        "samples": samples,
        "runs": runs,
        "mean": fits.mean(axis=0).tolist(),
        "scatter": float(fits.std(axis=0, ddof=1).max()),
    }


def lime():
    cases = [lime_case(words, samples, SEED + words) for words, samples in [(2, 20), (5, 60), (8, 150), (20, 200)]]
    write("lime.json", {"cases": cases, "means": [lime_mean(8, 1000, 40), lime_mean(20, 1000, 40)]})


def ridge():
    random = numpy.random.default_rng(SEED)
    cases = []
    for rows, features, alpha in [(6, 1, 1.0), (12, 4, 0.5), (9, 12, 2.0)]:
        x, y = random.normal(size=(rows, features)), random.normal(size=rows)
        w = random.uniform(0, 2, size=rows)
        w[0] = 0.0
        other, target = random.normal(size=(7, features)), random.normal(size=7)
        weight = random.uniform(0, 1, size=7)
        fit = Ridge(alpha=alpha).fit(x, y, sample_weight=w)
        cases.append({
            "alpha": alpha,
            "rows": x.tolist(), "targets": y.tolist(), "weights": w.tolist(),
            "coefficients": fit.coef_.tolist(), "intercept": float(fit.intercept_),
            "in_sample": float(fit.score(x, y, sample_weight=w)),
            "other_rows": other.tolist(), "other_targets": target.tolist(), "other_weights": weight.tolist(),
            "held_out": float(r2_score(target, fit.predict(other), sample_weight=weight)),
        })
    write("ridge.json", {"cases": cases})


def spearman():
    random = numpy.random.default_rng(SEED)
    cases = []
    for words in (2, 3, 5, 9, 30):
        for levels in (None, 4):
            left, right = random.normal(size=words), random.normal(size=words)
            if levels:
                left, right = numpy.round(left * 1.5), numpy.round(right * 1.5)
            if len(set(left)) < 2 or len(set(right)) < 2:
                continue
            cases.append({
                "left": left.tolist(), "right": right.tolist(),
                "left_ranks": rankdata(left).tolist(), "spearman": float(spearmanr(left, right).statistic),
            })
    write("spearman.json", {"cases": cases})


def aopc():
    """Every order of a random game on up to seven words, in plain loops."""
    random = numpy.random.default_rng(SEED)
    cases = []
    for words in (1, 2, 4, 7):
        values = random.uniform(size=2**words)  # indexed by the words present
        full = 2**words - 1

        def of(order):
            present, total = full, 0.0
            for word in order:
                present &= ~(1 << word)
                total += values[full] - values[present]
            return total / words

        every = [of(order) for order in itertools.permutations(range(words))]
        order = random.permutation(words).tolist()
        cases.append({
            "words": words, "values": values.tolist(), "order": order, "aopc": of(order),
            "best": max(every), "worst": min(every), "mean": float(numpy.mean(every)),
        })
    write("aopc.json", {"cases": cases})


def quadrature():
    rules = []
    for nodes in (1, 2, 5, 16, 64, 256):
        at, weight = numpy.polynomial.legendre.leggauss(nodes)
        rules.append({"at": ((1 + at) / 2).tolist(), "weights": (weight / 2).tolist()})
    write("quadrature.json", {"rules": rules})


if __name__ == "__main__":
    lime()
    ridge()
    spearman()
    aopc()
    quadrature()
