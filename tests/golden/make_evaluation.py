"""Golden numbers of src/evaluate: scikit-learn, statsmodels and numpy on drawn answers.

    python make_evaluation.py > evaluation.json

Written with scikit-learn 1.9.1, statsmodels 0.15.0, numpy (seed 7).
"""
import json

import numpy as np
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(7)


def answers(rows, classes, sure, decimals):
    truth = rng.choice(classes, rows, p=rng.dirichlet(np.ones(classes) * 3))
    logits = rng.normal(size=(rows, classes)) + sure * np.eye(classes)[truth]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    # Rounded ones have ties.
    if decimals:
        p = np.round(p, decimals)
        p[:, 0] += 1 - p.sum(1)
        p = np.clip(p, 0, 1)
    return truth, p


def case(rows, classes, sure, decimals):
    truth, p = answers(rows, classes, sure, decimals)
    predicted = p.argmax(1)
    labels = np.arange(classes)
    per_class = metrics.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    present = np.union1d(truth, predicted)
    mean = lambda average: metrics.precision_recall_fscore_support(
        truth, predicted, labels=present, average=average, zero_division=0)[:3]
    one = lambda score: [float(score(truth == c, p[:, c])) if 0 < (truth == c).sum() < rows else None for c in labels]
    share = [proportion_confint(int(((truth == c) & (predicted == c)).sum()), int((truth == c).sum()), method="wilson")
             if (truth == c).any() else None for c in labels]
    onehot = np.eye(classes)[truth]
    # ECE with bins of equal mass, equal confidences together: by hand, for no library has it.
    confidence, right = p.max(1), predicted == truth
    return {
        "classes": classes, "truth": truth.tolist(), "probabilities": p.tolist(),
        "precision": per_class[0].tolist(), "recall": per_class[1].tolist(), "f1": per_class[2].tolist(),
        "support": per_class[3].tolist(), "macro": list(mean("macro")), "weighted": list(mean("weighted")),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced": metrics.balanced_accuracy_score(truth, predicted),
        "mcc": metrics.matthews_corrcoef(truth, predicted), "kappa": metrics.cohen_kappa_score(truth, predicted),
        "roc": one(metrics.roc_auc_score), "average_precision": one(metrics.average_precision_score),
        "recall_interval": share, "brier": float(((p - onehot) ** 2).sum(1).mean()),
        "log_loss": float(-np.log(np.maximum(p[np.arange(rows), truth], np.finfo(float).tiny)).mean()),
        "confidence": float(confidence.mean()), "right": float(right.mean()),
    }


print(json.dumps({
    "cases": [case(200, 3, 1.0, 0), case(60, 2, 0.5, 1), case(40, 5, 2.0, 2), case(9, 4, 0.0, 1)],
    "mcnemar": [[a, b, float(mcnemar([[5, a], [b, 7]], exact=True).pvalue)] for a, b in [(3, 9), (0, 0), (1, 1), (40, 12)]],
}))
