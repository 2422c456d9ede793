"""The page of one AutoML run: verdict, evidence, explanation, and what to do next."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpatlas.evaluate.scores import CLASSIFICATION, REGRESSION, SCORES, known_scores
from gpatlas.plotting.style import model_name, number
from gpatlas.report.advice import advice, predicting
from gpatlas.report.automl_figures import sections
from gpatlas.report.automl_results import FILES, SIGNIFICANT, WHOLE, Results, read_results
from gpatlas.report.rendering import Shown, download, grid, write_page

_ROWS = 20  # of a table of the top ones
_SEEN = 0.0005  # importance that three decimals show
_STEPS = {
    "read": "Read",
    "join": "Join",
    "munge": "Quality control",
    "task": "Task",
    "search": "Search",
    "nest": "Honest score",
    "stack": "Stack",
    "null": "Permutations",
    "explain": "Explanation",
}


def write_automl_report(folder: Path, out: Path) -> None:
    """Write one HTML page about an AutoML run; it needs no other file and no network.

    Parameters
    ----------
    folder
        Results folder of `gpatlas automl`.
    out
        HTML file.

    Raises
    ------
    StoreError
        A file of the folder is absent or not what it should be, or the page cannot be written.
    """
    results = read_results(folder)
    files = [folder / name for name in FILES] + sorted((folder / "explanation").glob("*.*"))
    write_page(
        "automl.html",
        out,
        task=results.task,
        verdict=_verdict(results),
        narrative=_narrative(results),
        leaderboard=_leaderboard(results),
        others=_other_scores(results),
        hyperparameters=_tuned(results),
        scores=_scores(results),
        sections=sections(results),
        importance=_importance(results),
        associations=_associations(results),
        gebv=_breeding_values(results),
        advice=advice(results),
        command=predicting(results),
        settings=_settings(results),
        downloads=[download(path) for path in files if path.exists()],
    )


def _narrative(results: Results) -> list[tuple[str, str]]:
    """Return steps and their sentences; those of one step that follow each other are one."""
    steps: list[tuple[str, str]] = []
    for step, text in results.narrative:
        title = _STEPS.get(step, step.capitalize())
        if steps and steps[-1][0] == title:
            steps[-1] = (title, f"{steps[-1][1]} {text}")
        else:
            steps.append((title, text))
    return steps


def _verdict(results: Results) -> dict[str, Any]:
    row, score = results.honest, results.score
    chance = results.chance
    return {
        "trait": results.task["trait"],
        "model": results.chosen_title,
        "metric": score.text,
        "score": number(row.score),
        "interval": f"{number(row.lower)} to {number(row.upper)}" if np.isfinite(row.lower) else "",
        "chance": None if chance is None else number(chance),
        "ceiling": None if results.ceiling is None else number(results.ceiling),
        "signal": _signal(results),
    }


def _signal(results: Results) -> str:
    p, n = results.p_null, results.n_permutations
    if np.isnan(p):
        return ""
    if not results.beats_null:
        return f"That cannot be told from chance (p {_p_value(p)}, {n} permutations of the phenotypes)."
    if p > SIGNIFICANT:
        return f"None of {n} permutations of the phenotypes reached it; more of them would tell how unlikely that is."
    return f"That is better than chance (p {_p_value(p)}, {n} permutations of the phenotypes)."


def _ranked(results: Results) -> pd.DataFrame:
    """Return the leaderboard, the whole procedure first and then by score."""
    board = results.leaderboard.sort_values(
        "score", ascending=not results.score.larger_is_better, kind="stable", ignore_index=True
    )
    return pd.concat([board[board.model == WHOLE], board[board.model != WHOLE]], ignore_index=True)


def _marked(results: Results, board: pd.DataFrame) -> list[int]:
    return [k for k, name in enumerate(board.model) if name in (WHOLE, results.chosen)]


def _leaderboard(results: Results) -> dict:
    board = _ranked(results)
    names = [model_name(name) + " (chosen)" * (name == results.chosen) for name in board.model]
    table = pd.DataFrame({"model": names, results.score.head: _numbers(board.score)})
    table["95 % interval"] = [
        Shown(f"{number(low)} to {number(high)}" if np.isfinite(low) else "")
        for low, high in zip(board.lower, board.upper, strict=True)
    ]
    table["in the search"] = _numbers(board.inner_score)
    for column, title in (("p_null", "p of chance"), ("weight", "weight in stack")):
        if column in board and board[column].notna().any():
            shown = _p_value if column == "p_null" else _weight
            table[title] = [Shown(shown(value)) for value in board[column]]
    if "n_fits" in board:
        table["fits"] = [Shown("" if pd.isna(n) else f"{int(n):,}") for n in board.n_fits]
    if "seconds" in board:
        table["seconds"] = [Shown("" if pd.isna(s) else f"{s:,.1f}") for s in board.seconds]
    return grid(table, _marked(results, board))


def _other_scores(results: Results) -> dict:
    board = _ranked(results)
    table = pd.DataFrame({"model": map(model_name, board.model)})
    for name in CLASSIFICATION if results.classes else REGRESSION:
        if name in board and name != results.score.name and board[name].notna().any():
            table[SCORES[name].head] = _numbers(board[name])
    return grid(table, _marked(results, board))


def _tuned(results: Results) -> list[tuple[str, str]]:
    """Return what the search settled on: (model, hyperparameters); those with defaults only are left out."""
    board = _ranked(results)
    if "hyperparameters" not in board:
        return []
    found = zip(map(model_name, board.model), map(_hyperparameters, board.hyperparameters), strict=True)
    return [(name, text) for name, text in found if text]


def _scores(results: Results) -> dict:
    """Scores of the whole procedure: mean, standard deviation over folds, and extremes."""
    folds = results.folds[results.folds.model == WHOLE]
    names = [name for name in (CLASSIFICATION if results.classes else REGRESSION) if name in folds]
    rows = [
        {
            "score": SCORES[name].text,
            "mean": Shown(_text(values.mean())),
            "sd over folds": Shown(_text(values.std())),
            "worst fold": Shown(_text(values.min() if SCORES[name].larger_is_better else values.max())),
            "best fold": Shown(_text(values.max() if SCORES[name].larger_is_better else values.min())),
            "better": "higher" if SCORES[name].larger_is_better else "lower",
        }
        for name in names
        for values in [pd.Series(known_scores(SCORES[name], folds[name]))]
    ]
    return grid(pd.DataFrame(rows))


def _importance(results: Results) -> dict | None:
    table = results.explanation.get("permutation_importance")
    if table is None or not len(table):
        return None
    top = table[(table.importance.abs() >= _SEEN) | (table.kind == "covariate")].head(_ROWS)
    top = top if len(top) else table.head(1)
    shown = {
        "feature": top.feature,
        "kind": top.kind,
        "importance": _numbers(top.importance),
        "± s.e.": _numbers(top.se),
        "loci shuffled together": [Shown(f"{n:,}" if n else "") for n in top.n_loci],
        "linked with it": [_abridged(linked) for linked in top.linked],
    }
    return grid(pd.DataFrame(shown)) | {"of": len(table)}


def _associations(results: Results) -> dict | None:
    table = results.explanation.get("marker_effects")
    if table is None or not table.p.notna().any():
        return None
    top = table.sort_values("p", kind="stable").head(_ROWS)
    shown: dict[str, Any] = {"locus": top.locus_id}
    if (table.chromosome.fillna("") != "").any() or (table.position > 0).any():  # not every panel has a map
        position = [Shown(f"{v:,.0f}" if v == round(v) else f"{v:,.4g}") for v in top.position.fillna(0)]
        shown |= {"chromosome": top.chromosome, "position": position}
    shown["share between classes" if results.kind == "multiclass" else "effect"] = _numbers(top.effect)
    if top.se.notna().any():
        shown["± s.e."] = _numbers(top.se)
    shown["p"] = [Shown(_p_value(p)) for p in top.p]
    for column in [c for c in top.columns if c.startswith("model_effect")]:
        title = "effect in the model" + column.removeprefix("model_effect").replace("_", ": ", 1)
        shown[title] = [Shown("" if pd.isna(v) else f"{v:.3g}".replace("-", "−")) for v in top[column]]
    return grid(pd.DataFrame(shown))


def _breeding_values(results: Results) -> dict | None:
    table = results.explanation.get("gebv")
    if table is None or not len(table):
        return None
    top = table.sort_values("gebv", ascending=False, kind="stable").head(_ROWS)
    shown: dict[str, Any] = {"sample": top.sample_id}
    if "class" in top:
        shown["class"] = top["class"]
    shown |= {"GEBV": _as_spread(top.gebv, table.gebv), "± s.e.": _as_spread(top.se, table.gebv)}
    shown["reliability"] = _numbers(top.reliability)
    return grid(pd.DataFrame(shown))


def _settings(results: Results) -> list[tuple[str, str]]:
    counts = results.task.get("classes_counts") or {}
    shown = {
        "trait": results.task["trait"],
        "kind": results.kind,
        "samples": f"{results.task['n_samples']:,}",
        "classes": ", ".join(f"{count:,} of “{name}”" for name, count in counts.items()),
        "loci": f"{results.task['n_loci']:,}",
        "covariates": ", ".join(map(str, results.task.get("covariates") or [])) or "none",
        "selected by": results.score.text,
        "resampling": results.task.get("resampling", ""),
        "budget": str(results.task.get("budget", "")),
        "seed": str(results.task.get("seed", "")),
    }
    return [(name, text) for name, text in shown.items() if text]


def _hyperparameters(text: Any) -> str:
    if not isinstance(text, str) or not text:
        return ""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in found.items())


def _abridged(linked: str) -> str:
    names = [name for name in str(linked).split(";") if name]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _numbers(values: pd.Series) -> list[Shown]:
    return [Shown(_text(value)) for value in values]


def _as_spread(values: pd.Series, spread: pd.Series) -> list[Shown]:
    """Show so many decimals that values which differ do so in print."""
    sd = float(spread.std())
    decimals = int(np.clip(1 - np.floor(np.log10(sd)), 0, 8)) if np.isfinite(sd) and sd > 0 else 3
    return [Shown(f"{value:,.{decimals}f}".replace("-", "−") if np.isfinite(value) else "") for value in values]


def _text(value: float) -> str:
    return number(value) if np.isfinite(value) else ""


def _weight(value: float) -> str:
    return f"{value:.2f}" if value > 0 else ""


def _p_value(p: float) -> str:
    if not np.isfinite(p):
        return ""
    if p >= 0.001:
        return f"{p:.3f}"
    if p == 0:
        return "< 1e-300"
    mantissa, exponent = f"{p:.1e}".split("e")
    return f"{mantissa}e−{abs(int(exponent))}"
