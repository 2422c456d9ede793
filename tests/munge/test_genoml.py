"""Defects of GenoML that cleaning, harmonising and transforming must not have, on its own example cohorts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from gpatlas.harmonize import Variants, harmonize
from gpatlas.munge.transformers import AdjustForCovariates, ImputeGenotypes, ScaleGenotypes, SelectLoci, VIFFilter
from tests.conftest import REFERENCE
from tests.munge.data import genoml


@pytest.fixture(scope="module")
def discrete():
    return genoml("discrete")


@pytest.fixture(scope="module")
def cases(discrete):
    table = pd.read_csv(REFERENCE / "genoml/discrete/training_pheno.csv", index_col=0)
    return table["PHENO"].loc[discrete.sample_id].to_numpy()


@pytest.mark.parametrize("cohort", ["discrete", "continuous", "multiclass"])
def test_alleles_in_the_other_order_do_not_flip(cohort):
    """Its validation samples are renamed training samples in files that list A1 and A2 anew; ours find them again."""
    training, validation = genoml(cohort), genoml(cohort, "validation")
    done = harmonize(Variants.of(training), validation)
    n = done.counts
    assert list(validation.locus_id) == list(training.locus_id)
    swapped = (training.alleles != validation.alleles).any(axis=1).sum()
    assert n["found"] == training.n_loci
    assert n["swapped"] + n["ambiguous_swapped"] == swapped > 0
    known = {row.tobytes() for row in training.dosage()}
    assert all(row.tobytes() in known for row in done.genotypes)
    raw = validation.dosage()
    assert not any(row.tobytes() in known for row in raw)


def test_a_file_that_flips_everything(discrete):
    """98 % of SNPs were coded 2 - x."""
    from dataclasses import replace

    x = discrete.dosage()
    flipped = replace(
        discrete, genotypes=np.where(x < 0, x, 2 - x).astype(np.int8), alleles=discrete.alleles[:, ::-1].copy()
    )
    done = harmonize(Variants.of(discrete), flipped)
    np.testing.assert_array_equal(done.genotypes, x)
    assert done.counts["swapped"] + done.counts["ambiguous_swapped"] == 500


@pytest.mark.parametrize("method", ["univariate", "extra_trees"])
def test_names_of_selected_snps_are_theirs(discrete, cases, method):
    """A sort of labels in place put 483 of 485 columns under another SNP's name."""
    frame = pd.DataFrame(discrete.features(), columns=discrete.locus_id)
    reversed_names = frame[frame.columns[::-1]]
    selected = SelectLoci(method, n_loci=50, n_trees=100, kind="classes").fit(reversed_names, cases)
    out = pd.DataFrame(selected.transform(reversed_names), columns=selected.get_feature_names_out())
    pd.testing.assert_frame_equal(out, frame[list(out.columns)], check_dtype=False)
    thinner = VIFFilter(5).fit(out)
    left = pd.DataFrame(thinner.transform(out), columns=thinner.get_feature_names_out())
    pd.testing.assert_frame_equal(left, out[list(left.columns)])


def test_selection_before_the_split_fools_and_inside_does_not(discrete, cases):
    """On shuffled phenotypes there is nothing to find."""
    x, inside, before = discrete.features().astype(float), [], []
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    for seed in range(8):
        y = np.random.default_rng(seed).permutation(cases)
        model = make_pipeline(SelectLoci(n_loci=25, kind="classes"), ScaleGenotypes(), LogisticRegression())
        inside.append(roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]))
        chosen = SelectLoci(n_loci=25, kind="classes").fit_transform(x, y)
        proba = cross_val_predict(LogisticRegression(), chosen, y, cv=folds, method="predict_proba")[:, 1]
        before.append(roc_auc_score(y, proba))
    assert abs(np.mean(inside) - 0.5) < 0.05
    assert np.mean(before) > 0.6


def test_a_new_sample_is_treated_alone_as_among_others(discrete, cases):
    """The test set was scaled, imputed and adjusted by its own statistics."""
    table = pd.read_csv(REFERENCE / "genoml/discrete/training_addit.csv", index_col=0, encoding="utf-8-sig")
    x = np.hstack([discrete.features(), table.loc[discrete.sample_id].to_numpy()]).astype(float)
    x[np.random.default_rng(0).random(x.shape) < 0.05] = np.nan
    chain = make_pipeline(
        ImputeGenotypes("neighbours", n_covariates=4), AdjustForCovariates(n_covariates=4),
        VIFFilter(5, n_covariates=4), ScaleGenotypes(n_covariates=4), SelectLoci(n_loci=20, n_covariates=4),
    ).fit(x[:350], cases[:350])  # fmt: skip
    together = chain.transform(x[350:])
    alone = np.vstack([chain.transform(x[[i]]) for i in range(350, 370)])
    np.testing.assert_allclose(alone, together[:20], rtol=1e-9, atol=1e-12)
    assert together.shape[1] == 24
