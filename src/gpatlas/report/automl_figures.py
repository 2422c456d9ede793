"""Figures of the AutoML page with their captions, section by section."""

from collections.abc import Iterator

from matplotlib.figure import Figure as Drawing

from gpatlas.plotting import automl_classes, automl_features, automl_genome, automl_scores, automl_values
from gpatlas.plotting.style import drawn, model_name, number
from gpatlas.report.automl_results import WHOLE, Results
from gpatlas.report.rendering import Figure, data_uri


def sections(results: Results) -> dict[str, list[Figure]]:
    """Draw all figures: section's name → figures."""
    made = {"board": _board, "predictions": _predictions, "features": _features, "genome": _genome, "samples": _samples}
    return {name: list(draw(results)) for name, draw in made.items()}


def _figure(name: str, label: str, caption: str, drawing: Drawing, shape: str = "") -> Figure:
    return Figure(name, label, caption, data_uri(drawn(drawing), "image/svg+xml"), shape)


def _board(results: Results) -> Iterator[Figure]:
    score = results.score
    board = results.leaderboard.sort_values("score", ascending=not score.larger_is_better, kind="stable")
    chance = results.chance
    text = f"{score.text}, {'higher' if score.larger_is_better else 'lower'} is better"
    yield _figure(
        "leaderboard",
        "Leaderboard",
        "Score on samples that took no part in fitting, tuning or choosing, with its 95 % interval (corrected for the "
        "overlap of training samples, Nadeau & Bengio 2003). Orange: the whole procedure, with the choice made anew in "
        "every training set, which is what to expect of new samples. Rings: what the search itself saw.",
        automl_scores.plot_leaderboard(board, text, chance, results.ceiling),
    )
    if results.null is not None and results.null.score.notna().any():
        yield _figure(
            "null",
            "Chance",
            f"{score.text[0].upper()}{score.text[1:]} with phenotypes permuted, and with phenotypes as they are.",
            automl_scores.plot_null(results.null.dropna(subset=["score"]), results.honest.score, score.text),
        )


def _predictions(results: Results) -> Iterator[Figure]:
    predictions, classes = results.of(WHOLE), results.classes
    if not classes:
        r = results.honest.score if results.score.name == "r" else results.honest.r
        yield _figure(
            "observed",
            "Observed and predicted",
            f"Samples left out, each predicted by a procedure that never saw it (mean over repeats). r is the mean "
            f"over folds, {number(r)}.",
            automl_values.plot_observed_predicted(predictions, results.task["trait"], r),
        )
        return
    case = f"Cases are those of class “{classes[1]}”. " if len(classes) == 2 else "Each class against all others. "
    yield _figure(
        "roc",
        "ROC curve",
        f"{case}Mean over folds{' (thin: single folds)' if len(classes) == 2 else ''}; the area under it is the AUC of "
        "the tables. Dotted: chance.",
        automl_classes.plot_roc(predictions, classes),
    )
    yield _figure(
        "precision",
        "Precision and recall",
        "All folds together; mean precision is the area under the steps. Dotted: the class's share of the samples, "
        "which is the precision of calling everyone a case.",
        automl_classes.plot_precision_recall(predictions, classes),
    )
    yield _figure(
        "calibration",
        "Calibration",
        "What share of samples with about this predicted probability are cases; on the dotted line, probabilities mean "
        "what they say. Ten groups of equal size.",
        automl_classes.plot_calibration(predictions, classes),
    )
    repeats = predictions["repeat"].nunique()
    yield _figure(
        "confusion",
        "Confusion",
        f"Samples{f' (mean of {repeats} repeats)' if repeats > 1 else ''} by observed and predicted class, and their "
        "share of the observed class.",
        automl_classes.plot_confusion(predictions, classes),
    )


def _features(results: Results) -> Iterator[Figure]:
    importance, shap = (results.explanation.get(name) for name in ("permutation_importance", "shap"))
    if importance is not None and len(importance):
        what = "R²" if results.kind == "continuous" else "AUC"
        yield _figure(
            "importance",
            "Importance",
            results.methods["permutation_importance"],
            automl_features.plot_importance(importance, what),
        )
    if shap is not None and len(shap):
        unit = results.facts["shap_unit"]
        if "class" not in shap:
            yield _figure(
                "swarm",
                "SHAP values",
                f"How far each feature moved the prediction of each sample. {results.methods['shap']} Features in "
                "linkage disequilibrium share what one of them does.",
                automl_features.plot_shap_swarm(shap, unit),
            )
            return
        yield _figure(
            "bars",
            "SHAP values",
            f"How far each feature moved the predictions of each class: mean magnitude. {results.methods['shap']}",
            automl_features.plot_shap_bars(shap, unit),
        )


def _genome(results: Results) -> Iterator[Figure]:
    effects = results.explanation.get("marker_effects")
    if effects is None or not effects.p.notna().any():
        return
    tested, inflation = results.facts.get("n_tested"), results.facts.get("inflation")
    yield _figure(
        "manhattan",
        "Association along the genome",
        f"{results.methods['marker_effects'].split(' model_effect')[0]} Dashed: 5 % for all {tested:,} tests together "
        f"(Bonferroni)." + (f" Inflation λ {inflation:.2f}; 1 is right." if inflation is not None else ""),
        automl_genome.plot_manhattan(effects),
        "wide",
    )
    if "model_effect" in effects:
        unit = "log odds" if results.classes else "trait units"
        yield _figure(
            "effects",
            "Effects in the model",
            f"What one more copy of the counted allele adds in {model_name(results.chosen)}, all loci together, in "
            f"{unit}.",
            automl_genome.plot_model_effects(effects),
            "wide",
        )


def _samples(results: Results) -> Iterator[Figure]:
    gebv, structure = (results.explanation.get(name) for name in ("gebv", "structure"))
    if gebv is not None and len(gebv):
        h2 = results.facts.get("h2") or []
        shown = f" Genomic heritability {', '.join(f'{value:.2f}' for value in h2)}." if h2 else ""
        yield _figure(
            "gebv",
            "Breeding values",
            f"{results.methods['gebv']}{shown}",
            automl_genome.plot_breeding_values(gebv),
        )
    if structure is None or "pc1" not in structure:
        return
    by = {"observed": results.task["trait"]}
    if results.grouping:
        by[results.grouping] = results.grouping
    for column, name in by.items():
        yield _figure(
            f"components_{column}",
            f"Population structure, by {name}",
            f"{results.methods['structure']} Samples that lie together are alike.",
            automl_genome.plot_components(structure, results.shares, column, results.classes),
        )
