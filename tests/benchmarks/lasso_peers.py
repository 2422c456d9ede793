"""A five-fold LASSO path by one library, timed: `python lasso_peers.py cell.npz LIBRARY` prints a line of JSON.

Stands alone, so that a library can run in an environment of its own (`--python` of `python -m tests.benchmarks lasso`).
"""

import json
import sys
import time
import warnings

import numpy as np


def scikit_learn(x, y):
    from sklearn.linear_model import LassoCV

    return lambda: LassoCV(cv=5).fit(x, y).coef_


def celer(x, y):
    from celer import LassoCV

    return lambda: LassoCV(cv=5).fit(x, y).coef_


def skglm(x, y):
    """Its solver has no cross-validation: folds by hand, on the grid that scikit-learn uses."""
    from skglm.datafits import Quadratic
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD
    from skglm.utils.jit_compilation import compiled_clone

    solver = AndersonCD(tol=1e-4, fit_intercept=False)

    def path(a, b, grid):
        a = np.asfortranarray(a - a.mean(axis=0))
        return solver.path(a, b - b.mean(), compiled_clone(Quadratic()), compiled_clone(L1(1.0)), alphas=grid)[1]

    def run():
        largest = np.abs((x - x.mean(axis=0)).T @ (y - y.mean())).max() / len(y)
        grid = np.geomspace(largest, largest * 1e-3, 100)
        error = np.zeros(100)
        for fold in range(5):
            test = np.arange(len(y)) % 5 == fold
            train = ~test
            effects = path(x[train], y[train], grid)
            predicted = y[train].mean() + (x[test] - x[train].mean(axis=0)) @ effects
            error += ((y[test, None] - predicted) ** 2).mean(axis=0)
        return path(x, y, grid[: error.argmin() + 1])[:, -1]

    path(x[:50], y[:50], np.array([1.0]))  # compiles
    return run


def adelie(x, y):
    import adelie

    x, gaussian = np.asfortranarray(x), adelie.glm.gaussian(y=y)

    def run():
        search = adelie.cv_grpnet(X=x, glm=gaussian, n_folds=5, progress_bar=False)
        return np.asarray(search.fit(x, gaussian, progress_bar=False).betas[-1].todense()).ravel()

    return run


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    cell = np.load(sys.argv[1])
    run = globals()[sys.argv[2]](cell["x"].astype(float), cell["y"])
    start = time.process_time()
    effects = run()
    seconds = time.process_time() - start
    kept = np.flatnonzero(effects)
    print(json.dumps({"seconds": seconds, "kept": len(kept), "causal": int(np.isin(cell["qtl"], kept).sum())}))
