"""A lasso problem and its solution by scikit-learn, as a reference for the proximal optimisers.

  python tests/golden/make_lasso.py > tests/golden/lasso.json

The matrix and the target follow from a formula, so that the file holds no more than the solution. Deterministic.
Made with Python 3.11, numpy 2.4.6, scikit-learn 1.9.1 (the file says which).
"""
import json
import numpy as np
import sklearn
from sklearn.linear_model import Lasso

ROWS, COLUMNS, RELEVANT, LAMBDA = 400, 200, 18, 0.05


def noise(i, j):
    """A number in [-1, 1) for each pair, without a pattern that matters here."""
    x = np.sin(i * 12.9898 + j * 78.233) * 43758.5453
    return 2 * (x - np.floor(x)) - 1


i, j = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
x = noise(i.astype(float), j.astype(float))
truth = np.where(np.arange(COLUMNS) < RELEVANT, 1.0 - 0.1 * np.arange(COLUMNS), 0.0)
y = x @ truth + 0.3 * noise(np.arange(ROWS).astype(float), 1000.0)
# scikit-learn's objective is 1 / (2 rows) |y - x w|^2 + alpha |w|, without an intercept.
model = Lasso(alpha=LAMBDA, fit_intercept=False, tol=1e-12, max_iter=1_000_000).fit(x, y)
w = model.coef_
objective = 0.5 * np.mean((y - x @ w) ** 2) + LAMBDA * np.abs(w).sum()
print(json.dumps({
    "made_with": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    "rows": ROWS, "columns": COLUMNS, "relevant": RELEVANT, "lambda": LAMBDA,
    "zeros": int((w == 0).sum()), "objective": objective, "solution": [float(v) for v in w],
}))
