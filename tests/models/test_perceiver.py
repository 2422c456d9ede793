"""The perceiver as an estimator: panels, environments, heads and losses, what is frozen, what is missing."""

import numpy as np
import pytest

from gpatlas.alleles import codes_of, copies_of, n_codes
from gpatlas.errors import ConfigError
from gpatlas.io.estimator_bytes import dump_estimator, load_estimator
from gpatlas.models import make
from gpatlas.models.perceiver_fit import modules_of
from gpatlas.nn.perceiver import Layout, make_network
from gpatlas.nn.perceiver.networks import ARCHITECTURES
from gpatlas.perceiver.pretrained import write_pretrained

TINY = {"architecture": "tiny"}
QUICK = {"learning_rate": 0.01, "device": "cpu", "dropout": 0.0}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", "tests.nn.perceiver.tiny:TinyPerceiver")


def population(n=200, n_loci=24, ploidy=2, seed=1, missing=0.05):
    """Dosage with missing calls, and one additive genetic value of variance 1."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, ploidy + 1, (n, n_loci)).astype(np.float32)
    g = x @ rng.normal(size=n_loci)
    x[rng.random(x.shape) < missing] = np.nan
    return x, (g - g.mean()) / g.std()


def pretrained(path, ploidy=2, n_alleles=2, n_loci=24, names="m", **settings):
    """A checkpoint of a network with weights that are not the first of any seed; returns its path."""
    import torch

    names = np.array([f"{names}{k}" for k in range(n_loci)])
    chromosome = np.repeat(["1", "2"], n_loci // 2)
    layout, _ = Layout.arrange(ploidy, n_alleles, names, chromosome, np.arange(n_loci), "cM")
    torch.manual_seed(11)
    write_pretrained(make_network(layout, **(settings or TINY)), {}, path)
    return str(path)


def r(a, b):
    return np.corrcoef(a, b)[0, 1]


@pytest.mark.parametrize("head", ["pool", "latent", "windows"])
def test_every_head_learns_several_environments(head):
    x, g = population()
    y = np.column_stack([g, -g, 5 + 3 * g])
    y[np.random.default_rng(2).random(y.shape) < 0.3] = np.nan
    model = make("perceiver", network=TINY, head=head, max_epochs=60, **QUICK).fit(x[:150], y[:150])
    value = model.predict(x[150:])
    assert [r(value[:, k], g[150:]) > 0.7 for k in range(3)] == [True, False, True]
    assert r(value[:, 1], g[150:]) < -0.7
    assert value[:, 2].mean() == pytest.approx(5, abs=1)
    assert model.validation_loss_.min() < 0.6 * model.validation_loss_[0]


@pytest.mark.parametrize("loss", ["mae", "binary", "focal", "multiclass", "ordinal", "poisson", "ranking"])
def test_every_loss_learns(loss):
    x, g = population(240)
    y = {
        "mae": g,
        "binary": g > 0,
        "focal": g > 0,
        "multiclass": np.digitize(g, [-0.5, 0.5]),
        "ordinal": np.digitize(g, [-0.5, 0.5]) + 1,
        "poisson": np.random.default_rng(3).poisson(np.exp(1 + g)),
        "ranking": g,
    }[loss].astype(float)
    model = make("perceiver", network=TINY, loss=loss, max_epochs=60, **QUICK).fit(x[:180], y[:180])
    assert model.validation_loss_.min() < 0.95 * model.validation_loss_[0]
    value = model.predict(x[180:])
    assert value.shape == (60,)
    assert r(value, g[180:]) > 0.6
    if loss in ("binary", "focal", "multiclass", "ordinal"):
        p = model.predict_proba(x[180:])
        assert p.shape == (60, len(model.classes_))
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(model.classes_, np.unique(y))
        expected = {"multiclass": model.classes_[p.argmax(axis=1)], "ordinal": p @ model.classes_}.get(loss, p[:, 1])
        np.testing.assert_allclose(value, expected)
    else:
        assert not hasattr(model, "predict_proba")


def test_a_solved_readout_is_rrblup_of_the_latents(tmp_path):
    x, g = population()
    path = pretrained(tmp_path / "c.safetensors")
    y = np.column_stack([g, g + np.random.default_rng(1).normal(size=len(g))])
    options = {"checkpoint": path, "frozen_epochs": 1, "max_epochs": 1, "device": "cpu"}
    model = make("perceiver", **options).fit(x[:150], y[:150])
    latents = model.latents(x).reshape(len(x), -1).astype(np.float64)
    ridge = make("rrblup").fit(latents[:150], y[:150])
    np.testing.assert_allclose(model.predict(x[150:]), ridge.predict(latents[150:]), atol=2e-3)


@pytest.mark.parametrize("head", ["pool", "latent", "windows"])
def test_a_frozen_encoder_keeps_every_weight(head, tmp_path):
    x, g = population()
    path = pretrained(tmp_path / "c.safetensors")
    from gpatlas.nn.weights import state_of
    from gpatlas.perceiver.pretrained import read_pretrained

    before = state_of(read_pretrained(path)[0])
    model = make("perceiver", checkpoint=path, head=head, frozen_epochs=4, max_epochs=4, **QUICK).fit(x, g)
    for name, value in state_of(modules_of(model._kept)[0]).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    assert model.epochs_[1] == 0


def test_only_the_parts_asked_for_are_freed(tmp_path):
    from gpatlas.nn.weights import state_of
    from gpatlas.perceiver.pretrained import read_pretrained

    x, g = population()
    path = pretrained(tmp_path / "c.safetensors")
    before = state_of(read_pretrained(path)[0])
    options = {"frozen_epochs": 0, "max_epochs": 3, "refit": False, **QUICK}

    def moved(*free):
        model = make("perceiver", checkpoint=path, free=free, **options).fit(x, g)
        after = state_of(modules_of(model._kept)[0])
        return {name for name, value in after.items() if not np.array_equal(value, before[name])}

    assert moved("latents") == {"latents"}
    assert moved("block", "alleles") == {"block.weight", "block.bias", "alleles"}
    assert moved("all") == {"latents", "block.weight", "block.bias", "alleles"}  # `unused` is not on the way to latents
    with pytest.raises(ConfigError, match="no part 'blok'; did you mean 'block'"):
        moved("blok")


def test_what_is_not_observed_contributes_nothing():
    """Genotypes of samples without a phenotype, and the number in a cell that is NaN, change no bit."""
    x, g = population()
    y = np.column_stack([g, -g])
    y[:40] = np.nan
    y[50:90, 1] = np.nan
    options = {"network": TINY, "max_epochs": 5, "head": "pool", "ploidy": 2, **QUICK}
    one = make("perceiver", **options).fit(x, y).predict(x)
    other = x.copy()
    other[:40] = 2 - other[:40]
    two = make("perceiver", **options).fit(other, y).predict(x)
    np.testing.assert_array_equal(one, two)
    three = make("perceiver", **options).fit(x[40:], y[40:]).predict(x)
    np.testing.assert_array_equal(one, three)


def test_refitting_uses_the_validation_samples():
    x, g = population()
    stop = (x[100:150], g[100:150])
    options = {"network": TINY, "max_epochs": 20, **QUICK}
    model, alone = (
        make("perceiver", refit=refit, **options).fit(x[:100], g[:100], validation=stop) for refit in (True, False)
    )
    assert model.epochs_ == alone.epochs_
    np.testing.assert_array_equal(model.validation_loss_, alone.validation_loss_)
    assert r(model.predict(x[150:]), g[150:]) > r(alone.predict(x[150:]), g[150:])


SMALL = {
    "tiny": TINY,
    "windowed": {"architecture": "windowed", "window": 6, "hidden": 8, "width": 8, "n_heads": 2, "n_global": 1},
    "published": {
        "architecture": "published",
        "latent_dim": 4,
        "output_dim": 8,
        "projection_dim": 8,
        "feedforward_dim": 8,
        "allele_embed_dim": 8,
        "position_embed_dim": 8,
        "num_encode_iters": 1,
        "num_self_attention": 1,
        "num_decode_iters": 1,
    },
}


@pytest.mark.parametrize("ploidy", [1, 2, 4, 6])
@pytest.mark.parametrize("n_alleles", [2, 3, 4, 5])
@pytest.mark.parametrize("network", SMALL)
def test_a_subset_of_a_panel_of_any_calls_is_finetuned(ploidy, n_alleles, network, tmp_path):
    rng = np.random.default_rng(1)
    copies = rng.multinomial(ploidy, np.full(n_alleles, 1 / n_alleles), size=(60, 24))
    g = (copies[..., 0] @ rng.normal(size=24)).astype(float)
    codes = codes_of(copies)
    assert codes.max() <= n_codes(ploidy, n_alleles)
    codes[rng.random(codes.shape) < 0.05] = 0
    x = codes.astype(np.float32) - (n_alleles == 2)
    if n_alleles == 2:
        x[codes == 0] = np.nan
        np.testing.assert_array_equal(copies_of(codes, ploidy, 2)[..., 1], np.nan_to_num(x))
    path = pretrained(tmp_path / "c.safetensors", ploidy, n_alleles, **SMALL[network])
    names = np.array([f"m{k}" for k in range(24)])
    kept = rng.permutation(24)[:15]
    told = {"ploidy": ploidy, "n_alleles": n_alleles, "checkpoint": path}
    model = make("perceiver", locus_id=names[kept], frozen_epochs=2, max_epochs=4, **told, **QUICK)
    model.fit(x[:, kept], g)
    assert (model.n_absent_, model.n_ignored_) == (9, 0)
    full = x.copy()
    full[:, np.setdiff1d(np.arange(24), kept)] = np.nan  # the same, said otherwise
    same = make("perceiver", locus_id=names, frozen_epochs=2, max_epochs=4, **told, **QUICK).fit(full, g)
    np.testing.assert_array_equal(model.predict(x[:, kept]), same.predict(full))
    more = np.hstack([x[:, kept], x[:, :2]])
    named = np.append(names[kept], ["other", "another"])
    wider = make("perceiver", locus_id=named, frozen_epochs=2, max_epochs=4, **told, **QUICK).fit(more, g)
    assert wider.n_ignored_ == 2
    np.testing.assert_array_equal(wider.predict(more), model.predict(x[:, kept]))


def test_the_order_of_loci_in_a_file_does_not_matter():
    x, g = population()
    chromosome, position = np.repeat(["b", "a"], 12), np.tile(np.arange(12.0), 2)
    names = np.arange(24).astype(str)
    order = np.concatenate([np.random.default_rng(1).permutation(12), 12 + np.random.default_rng(2).permutation(12)])
    options = {"network": TINY, "max_epochs": 3, **QUICK}
    there = {"locus_id": names, "chromosome": chromosome, "position": position}
    here = {name: values[order] for name, values in there.items()}
    one = make("perceiver", **options, **there).fit(x, g).predict(x)
    two = make("perceiver", **options, **here).fit(x[:, order], g).predict(x[:, order])
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"locus_id": [f"x{k}" for k in range(24)]}, "none of the data's 24 markers .* is of the checkpoint's panel"),
        ({"locus_id": ["a"] * 24}, "markers must have different names, but a have not"),
        ({"ploidy": 4}, "the data have ploidy 4, but the checkpoint is of a panel of ploidy 2"),
        ({"n_alleles": 3}, "the data have n_alleles 3, but the checkpoint is of a panel of n_alleles 2"),
        ({"locus_id": ["a", "b"]}, "locus_id must be of 24 loci"),
    ],
)
def test_a_panel_that_is_not_the_checkpoints(told, message, tmp_path):
    x, g = population()
    path = pretrained(tmp_path / "c.safetensors")
    with pytest.raises(ValueError, match=message) as error:
        make("perceiver", checkpoint=path, **told).fit(x, g)
    assert "\n" not in str(error.value)


def test_without_names_the_panel_must_be_the_checkpoints(tmp_path):
    x, g = population()
    path = pretrained(tmp_path / "c.safetensors")
    make("perceiver", checkpoint=path, max_epochs=1, device="cpu").fit(x, g)
    with pytest.raises(ValueError, match="X has 23 loci without names, the checkpoint's panel 24"):
        make("perceiver", checkpoint=path, device="cpu").fit(x[:, 1:], g)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (3.0, 0.0, {"ploidy": 2}, r"X holds 3, but dosage is 0 to 2 \(ploidy 2\), in whole numbers"),
        (0.5, 0.0, {}, "X holds 0.5, but dosage is"),
        (7.0, 0.0, {"n_alleles": 3, "ploidy": 2}, r"X holds 7, but allele codes are 0 \(missing\) to 6"),
        (1.0, 0.0, {"n_alleles": 3}, "allele codes of 3 alleles need their ploidy"),
        (1.0, -1.0, {"loss": "poisson"}, "loss poisson is of counts, but a phenotype is -1"),
        (1.0, 2.0, {"loss": "binary"}, "loss binary is of two classes, but phenotypes have 3 values: 0, 1, 2"),
    ],
)
def test_data_that_cannot_be(x, y, options, message):
    features = np.random.default_rng(1).integers(0, 2, (20, 5)).astype(float)
    phenotypes = np.arange(20) % 2.0
    features[3, 2], phenotypes[7] = x, y
    with pytest.raises(ValueError, match=message):
        make("perceiver", network=TINY, max_epochs=1, **options).fit(features, phenotypes)


def test_a_checkpoint_and_another_network_are_refused():
    with pytest.raises(ConfigError, match="leave pretrain out"):
        make("perceiver", checkpoint="a.safetensors", pretrain={"n_steps": 2})
    with pytest.raises(ConfigError, match="leave network out"):
        make("perceiver", checkpoint="a.safetensors", network={})


@pytest.mark.parametrize("loss", ["mse", "ordinal"])
@pytest.mark.parametrize("head", ["pool", "latent", "windows"])
def test_a_saved_model_predicts_the_same(head, loss):
    x, g = population()
    y = np.column_stack([g, -g]) if loss == "mse" else np.digitize(g, [-0.5, 0.5])
    model = make("perceiver", network=TINY, head=head, loss=loss, max_epochs=3, **QUICK).fit(x, y)
    loaded = load_estimator(dump_estimator(model), "test")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.epochs_ == model.epochs_


def test_training_leaves_the_global_generator_alone():
    import torch

    x, g = population()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make("perceiver", network=TINY, max_epochs=2, device="cpu").fit(x, g)
    torch.testing.assert_close(torch.rand(3), expected)


def test_seeds_decide():
    x, g = population()
    one, same, other = (
        make("perceiver", network=TINY, max_epochs=3, device="cpu", random_state=seed).fit(x, g).predict(x)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def with_alleles(path, alleles, **settings):
    """A checkpoint that knows its alleles."""
    from gpatlas.perceiver.pretrained import read_pretrained

    network, _ = read_pretrained(pretrained(path, **settings))
    write_pretrained(network, {"alleles": np.asarray(alleles).tolist()}, path)
    return str(path)


@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_loci_that_count_the_other_allele_are_turned_round(ploidy, tmp_path):
    x, g = population(ploidy=ploidy)
    theirs = np.tile(["A", "C"], (24, 1))
    path = with_alleles(tmp_path / "c.safetensors", theirs, ploidy=ploidy)
    options = {"checkpoint": path, "ploidy": ploidy, "max_epochs": 2, **QUICK}
    plain = make("perceiver", alleles=theirs, **options).fit(x, g)
    other, ours = x.copy(), theirs.copy()
    other[:, ::2], ours[::2] = ploidy - x[:, ::2], ["C", "A"]
    ours[5] = ["", "C"]  # not known: taken as it is
    turned = make("perceiver", alleles=ours, **options).fit(other, g)
    assert (plain.n_turned_, turned.n_turned_) == (0, 12)
    np.testing.assert_array_equal(plain.predict(x), turned.predict(other))
    order = np.random.default_rng(1).permutation(24)[:20]
    names = np.array([f"m{k}" for k in range(24)])
    some = make("perceiver", alleles=ours[order], locus_id=names[order], **options).fit(other[:, order], g)
    same = make("perceiver", alleles=theirs[order], locus_id=names[order], **options).fit(x[:, order], g)
    np.testing.assert_array_equal(some.predict(other[:, order]), same.predict(x[:, order]))


def test_other_alleles_are_refused(tmp_path):
    x, g = population()
    theirs = np.tile(["A", "C"], (24, 1))
    path = with_alleles(tmp_path / "c.safetensors", theirs)
    ours = theirs.copy()
    ours[3:5] = ["A", "G"]
    with pytest.raises(ValueError, match=r"2 markers have other alleles .* such as m3: A/G here, A/C there"):
        make("perceiver", checkpoint=path, alleles=ours).fit(x, g)


def test_pretraining_has_the_price_of_its_recipe():
    from gpatlas.config import PerceiverRecipe

    defaults = {key: PerceiverRecipe.model_fields[key].default for key in ("n_steps", "batch_size")}

    def flops(pretrain):
        return make("perceiver", pretrain=pretrain).work(100, 500, 1).flops

    assert flops({}) == flops(defaults) > flops({"n_steps": 10})
