"""Writes checks.json, lime_table.json, tree.json, shapley.json and rollout.json beside this file: a second implementation of
the checks, in plain loops and by the libraries that define them.

    python make_checks.py        needs numpy, scipy and scikit-learn

Each file names the versions and the seed it was made with; `src/golden.rs` compares.
"""

import itertools
import json
import math
import pathlib

import numpy
import scipy
import sklearn
from scipy.stats import kendalltau, spearmanr
from sklearn.linear_model import Ridge
from sklearn.metrics import auc, f1_score, jaccard_score, precision_recall_curve, r2_score
from sklearn.tree import DecisionTreeRegressor

SEED = 20261124
HERE = pathlib.Path(__file__).parent
VERSIONS = {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}


def write(name, content):
    content = {"made_by": "make_checks.py", "seed": SEED, "versions": VERSIONS, **content}
    (HERE / name).write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")


class Text:
    """A text of n words with a probability for each subset of the words present, read as bits."""

    def __init__(self, n, values):
        self.n, self.values = n, values
        self.all = frozenset(range(n))

    def p(self, present):
        return float(self.values[sum(1 << word for word in present)])


def highest(scores, count):
    """The `count` words with the highest scores; of equal ones the first."""
    return frozenset(sorted(range(len(scores)), key=lambda word: -scores[word])[:count])


def eraser(text, scores):
    """comp = p(x) - p(x without r), suff = p(x) - p(r), means over the bins (rationale_benchmark)."""
    comp, suff = [], []
    for percent in (1, 5, 10, 20, 50):
        rationale = highest(scores, -(-percent * text.n // 100))
        comp.append(text.p(text.all) - text.p(text.all - rationale))
        suff.append(text.p(text.all) - text.p(rationale))
    return sum(comp) / 5, sum(suff) / 5


def curves(text, scores):
    steps = [highest(scores, count) for count in range(text.n + 1)]
    x = numpy.linspace(0, 1, text.n + 1)
    deletion = numpy.trapezoid([text.p(text.all - step) for step in steps], x)
    insertion = numpy.trapezoid([text.p(step) for step in steps], x)
    return float(deletion), float(insertion)


def naopc(text, scores):
    """(AOPC - worst) / (best - worst), and the same for random orders, over all orders."""

    def aopc(order):
        left, drops = set(text.all), []
        for word in order:
            left.discard(word)
            drops.append(text.p(text.all) - text.p(left))
        return sum(drops) / len(drops)

    every = [aopc(order) for order in itertools.permutations(range(text.n))]
    own = aopc(sorted(range(text.n), key=lambda word: -scores[word]))
    span = max(every) - min(every)
    return (own - min(every)) / span, (sum(every) / len(every) - min(every)) / span


def infidelity(text, scores, masks):
    said = numpy.array([sum(scores[word] for word in mask) for mask in masks])
    drops = numpy.array([text.p(text.all) - text.p(text.all - set(mask)) for mask in masks])
    scale = max(0.0, float(said @ drops) / float(said @ said))
    return float(numpy.mean((scale * said - drops) ** 2) / numpy.mean(drops**2))


def plausibility(scores, marked):
    chosen = highest(scores, sum(marked))
    predicted = [word in chosen for word in range(len(scores))]
    precision, recall, _ = precision_recall_curve(marked, [max(score, 0.0) for score in scores])
    return {
        "marked": marked,
        "f1": float(f1_score(marked, predicted)),
        "iou": float(jaccard_score(marked, predicted)),
        "auprc": float(auc(recall, precision)),
    }


def checks():
    random = numpy.random.default_rng(SEED)
    cases = []
    for n in (2, 3, 5, 7, 8):
        for levels in (None, 2):
            text = Text(n, random.uniform(size=2**n))
            scores = random.normal(size=n)
            if levels:
                scores = numpy.round(scores * levels)
            if len(set(scores)) < 2:
                scores[0] += 1
            scores = scores.tolist()
            loo = [text.p(text.all) - text.p(text.all - {word}) for word in range(n)]
            masks = [sorted(random.choice(n, size=random.integers(1, n + 1), replace=False).tolist()) for _ in range(30)]
            marked = (random.uniform(size=n) < 0.4).tolist()
            marked[int(random.integers(n))] = True
            comp, suff = eraser(text, scores)
            deletion, insertion = curves(text, scores)
            normalised, by_chance = naopc(text, scores)
            cases.append({
                "words": n, "values": text.values.tolist(), "scores": scores,
                "comprehensiveness": comp, "sufficiency": suff, "deletion": deletion, "insertion": insertion,
                "normalised": normalised, "random": by_chance, "tau_loo": float(kendalltau(scores, loo).statistic),
                "masks": masks, "infidelity": infidelity(text, scores, masks),
                "plausibility": plausibility(scores, marked),
            })
    maps = random.normal(size=(4, 9))
    pairs = [spearmanr(a, b).statistic for a, b in itertools.combinations(maps, 2)]
    write("checks.json", {"cases": cases, "maps": maps.tolist(), "agreement": float(numpy.mean(pairs))})


def shapley():
    """By the definition: every order of the players."""
    random = numpy.random.default_rng(SEED)
    cases = []
    for n in (1, 2, 3, 5, 7):
        text = Text(n, random.uniform(size=2**n))
        phi = numpy.zeros(n)
        for order in itertools.permutations(range(n)):
            present = set()
            for word in order:
                before = text.p(present)
                present.add(word)
                phi[word] += text.p(present) - before
        phi /= math.factorial(n)
        pairs = []
        for i, j in itertools.combinations(range(n), 2):
            rest = [word for word in range(n) if word not in (i, j)]
            total = 0.0
            for size in range(n - 1):
                weight = math.factorial(size) * math.factorial(n - size - 2) / math.factorial(n - 1)
                for chosen in itertools.combinations(rest, size):
                    s = set(chosen)
                    total += weight * (text.p(s | {i, j}) - text.p(s | {i}) - text.p(s | {j}) + text.p(s))
            pairs.append({"words": [i, j], "value": total})
        cases.append({"words": n, "values": text.values.tolist(), "shapley": phi.tolist(), "interactions": pairs})
    write("shapley.json", {"cases": cases})


def tree():
    random = numpy.random.default_rng(SEED)
    cases = []
    for rows, features in [(40, 3), (120, 6), (200, 10)]:
        x = random.integers(0, 2, size=(rows, features)).astype(float)
        y = random.uniform(size=rows) + 0.5 * x[:, 0] * x[:, 1] - 0.7 * x[:, -1]
        w = random.uniform(0, 1, size=rows)
        other = random.integers(0, 2, size=(rows, features)).astype(float)
        target = random.uniform(size=rows) + 0.5 * other[:, 0] * other[:, 1] - 0.7 * other[:, -1]
        fit = DecisionTreeRegressor(max_depth=3, min_weight_fraction_leaf=0.05, random_state=0)
        fit.fit(x, y, sample_weight=w)
        cases.append({
            "rows": x.tolist(), "targets": y.tolist(), "weights": w.tolist(),
            "predictions": fit.predict(x).tolist(), "importance": fit.feature_importances_.tolist(),
            "leaves": int(fit.get_n_leaves()), "in_sample": float(fit.score(x, y, sample_weight=w)),
            "other_rows": other.tolist(), "other_targets": target.tolist(),
            "held_out": float(r2_score(target, fit.predict(other), sample_weight=w)),
        })
    write("tree.json", {"cases": cases})


def lime_table():
    """lime's ridge on its whole law: the text once, and each size with the weight of N - 1 expected rows."""
    random = numpy.random.default_rng(SEED)
    cases = []
    for n, samples in [(2, 1024), (5, 1000), (8, 5000)]:
        text = Text(n, random.uniform(size=2**n))
        rows, targets, weights = [[1.0] * n], [text.p(text.all)], [1.0]
        for size in range(1, n + 1):
            distance = 100 * (1 - math.sqrt((n - size) / n))
            kernel = math.sqrt(math.exp(-(distance**2) / 25**2))
            for masked in itertools.combinations(range(n), size):
                rows.append([float(word not in masked) for word in range(n)])
                targets.append(text.p(text.all - set(masked)))
                weights.append((samples - 1) * kernel / (n * math.comb(n, size)))
        fit = Ridge(alpha=1.0).fit(rows, targets, sample_weight=weights)
        cases.append({
            "words": n, "samples": samples, "values": text.values.tolist(),
            "coefficients": fit.coef_.tolist(), "intercept": float(fit.intercept_),
            "in_sample": float(fit.score(rows, targets, sample_weight=weights)),
            "held_out": float(fit.score(rows[1:], targets[1:], sample_weight=weights[1:])),
        })
    write("lime_table.json", {"cases": cases})


def rollout():
    random = numpy.random.default_rng(SEED)
    cases = []
    for layers, tokens, causal in [(1, 3, False), (6, 9, False), (12, 7, True)]:
        attention = random.uniform(size=(layers, tokens, tokens))
        if causal:
            attention = numpy.tril(attention)
        attention /= attention.sum(axis=-1, keepdims=True)
        reader = tokens - 1 if causal else 0
        product = numpy.eye(tokens)
        for layer in attention:
            mixed = 0.5 * layer + 0.5 * numpy.eye(tokens)
            product = (mixed / mixed.sum(axis=-1, keepdims=True)) @ product
        cases.append({"layers": attention.tolist(), "reader": reader, "shares": product[reader].tolist()})
    write("rollout.json", {"cases": cases})


if __name__ == "__main__":
    checks()
    shapley()
    lime_table()
    tree()
    rollout()
