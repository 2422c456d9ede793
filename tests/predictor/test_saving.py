"""Saved models: they predict as they did, and no file from elsewhere runs code or fills the memory."""

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.errors import StoreError
from gpatlas.io.estimator_bytes import dump_estimator, load_estimator
from gpatlas.io.model_file import ModelFile, read_model_file, write_model_file
from gpatlas.models import REGISTRY, make
from gpatlas.predictor import load_predictor, save_predictor
from tests.predictor.fitted import KINDS, clinic, fitted

NOW = (1980, 1, 1, 0, 0, 0)
RUN: list[str] = []


class Evil:
    """Whoever unpickles it runs its code."""

    def __reduce__(self):
        return RUN.append, ("pickle",)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.gpatlas"
    save_predictor(fitted("lasso", "binary", clinic("binary")), path)
    return path


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(content: dict[str, bytes], path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, NOW), data, compress_type=compression)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as raised:
        load_predictor(path)
    assert "\n" not in str(raised.value)
    assert RUN == []
    return str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_predicts_as_before_it_was_saved(name, kind, tmp_path):
    if kind not in CANDIDATES[name].kinds:
        pytest.skip(f"{name} does not predict {kind}")
    predictor = fitted(name, kind, clinic(kind))
    save_predictor(predictor, tmp_path / "m.gpatlas")
    new = clinic(kind, 60, number=2)
    before, after = predictor.predict(new), load_predictor(tmp_path / "m.gpatlas").predict(new)
    assert list(before.table) == list(after.table)
    for column, values in before.table.items():
        np.testing.assert_array_equal(values, after.table[column], err_msg=column)
    assert before.sentences == after.sentences


def test_what_is_saved_comes_back(saved):
    predictor, loaded = fitted("lasso", "binary", clinic("binary")), load_predictor(saved)
    assert loaded.covariates == predictor.covariates
    assert (loaded.trait, loaded.kind, loaded.classes) == ("Status", "binary", ("control", "case"))
    for name in ("locus_id", "chromosome", "position", "alleles", "mean_dosage"):
        np.testing.assert_array_equal(getattr(loaded.variants, name), getattr(predictor.variants, name))
    assert loaded.summary["auc"] == 0.9


def test_a_pickle_in_an_array_is_not_opened(saved, tmp_path):
    array = io.BytesIO()
    np.save(array, np.array([Evil()], dtype=object), allow_pickle=True)
    message = refusal(written(entries(saved) | {"arrays/position.npy": array.getvalue()}, tmp_path / "m"))
    assert "arrays/position.npy is damaged (it holds Python objects)" in message
    assert "damaged" in refusal(written(entries(saved) | {"arrays/position.npy": pickle.dumps(Evil())}, tmp_path / "m"))


def test_a_pickle_for_a_model_is_not_opened(tmp_path):
    (tmp_path / "m.gpatlas").write_bytes(pickle.dumps(Evil()))
    assert "not a gpatlas model" in refusal(tmp_path / "m.gpatlas")


def evil_skops(saved: Path, evil: dict) -> bytes:
    """The saved estimator with one attribute replaced by a node that would call something."""
    inner = io.BytesIO(entries(saved)["estimator.skops"])
    with zipfile.ZipFile(inner) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(content["schema.json"])
    schema["content"]["content"]["verbose"] = evil
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in (content | {"schema.json": json.dumps(schema).encode()}).items():
            archive.writestr(name, data)
    return made.getvalue()


def node(name: str, loader: str, **content: object) -> dict:
    """A node of a skops schema; `name` is module:class."""
    module, _, class_name = name.partition(":")
    return {"__module__": module, "__class__": class_name, "__loader__": loader, "__id__": 999_991, **content}


TEXT = node("builtins:str", "JsonNode", content='"x"', is_json=True)
OS = node("os:os", "TypeNode")
NODES = {
    "a function": node("os:system", "FunctionNode", content={"module_path": "os", "function": "system"}),
    "a method": node("os:system", "MethodNode", content={"func": "system", "obj": OS}),
    "an object": node("subprocess:Popen", "ObjectNode", content=TEXT),
    "a partial": node(
        "functools:partial", "PartialNode", content={"func": TEXT, "args": TEXT, "kwds": TEXT, "namespace": TEXT}
    ),
    "a getter": node("operator:attrgetter", "OperatorFuncNode", attrs=TEXT),
}


@pytest.mark.parametrize("what", NODES)
def test_an_estimator_that_would_call_something_is_refused(what, saved, tmp_path):
    path = written(entries(saved) | {"estimator.skops": evil_skops(saved, NODES[what])}, tmp_path / "m")
    message = refusal(path)
    assert "refused, it holds what no model of gpatlas does" in message or "estimator is damaged" in message


def test_a_known_function_is_not_called_by_an_unknown_name(saved, tmp_path):
    """The refusal names the type, and the same file without it is read."""
    message = refusal(
        written(entries(saved) | {"estimator.skops": evil_skops(saved, NODES["a function"])}, tmp_path / "m")
    )
    assert "os.system" in message
    assert load_predictor(written(entries(saved), tmp_path / "m")).kind == "binary"


def test_a_compressed_estimator_is_refused(saved, tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"[" * 10_000_000)
    assert "compressed" in refusal(written(entries(saved) | {"estimator.skops": made.getvalue()}, tmp_path / "m"))


def test_a_bomb_is_not_unpacked(saved, tmp_path):
    bomb = {"arrays/position.npy": bytes(50_000_000)} | entries(saved)
    bomb["arrays/position.npy"] = bytes(50_000_000)
    assert "would grow to 50,000,000 bytes" in refusal(written(bomb, tmp_path / "m", zipfile.ZIP_DEFLATED))


def test_an_array_that_claims_more_than_it_has(saved, tmp_path):
    content = entries(saved)
    claim = content["arrays/position.npy"].replace(b"(40,), }          ", b"(4000000000000,), }")
    assert claim != content["arrays/position.npy"]
    assert "claims 32,000,000,000,000 bytes" in refusal(
        written(content | {"arrays/position.npy": claim}, tmp_path / "m")
    )


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "arrays/../../evil.npy", "arrays/Evil.npy", "evil.py"])
def test_entries_of_other_names_are_refused(name, saved, tmp_path):
    assert "a gpatlas model has no entry" in refusal(written(entries(saved) | {name: b"x"}, tmp_path / "m"))
    assert not (tmp_path.parent / "evil.py").exists()


def manifest_with(saved: Path, **changes: object) -> bytes:
    manifest = json.loads(entries(saved)["manifest.json"]) | changes
    return json.dumps({key: value for key, value in manifest.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another"}, "not a gpatlas model"),
        (
            {"format_version": [2, 0], "gpatlas": "9.0"},
            "newer than this gpatlas reads (1); it was written by gpatlas 9.",
        ),
        ({"format_version": "one"}, "format_version is 'one'"),
        ({"trait": None}, "key 'trait' is missing"),
        ({"kind": "ordinal"}, "kind: input should be"),
        ({"classes": 3}, "classes: "),
        ({"covariates": []}, "its estimator takes 43 features, not 40"),
        ({"ploidy": -2}, "ploidy: "),
        ({"salt": "not hexadecimal"}, "salt: "),
    ],
)
def test_manifests_that_cannot_be(changes, message, saved, tmp_path):
    path = written(entries(saved) | {"manifest.json": manifest_with(saved, **changes)}, tmp_path / "m")
    assert message in refusal(path)


def test_damaged_files(saved, tmp_path):
    content, path = entries(saved), tmp_path / "m"
    assert "its manifest.json is damaged" in refusal(written(content | {"manifest.json": b"{"}, path))
    assert "its manifest.json is damaged" in refusal(written(content | {"manifest.json": b"\xff\xfe"}, path))
    assert "its manifest.json is damaged" in refusal(written(content | {"manifest.json": b"[" * 100_000}, path))
    for name in ("manifest.json", "estimator.skops", "arrays/hashes.npy", "arrays/locus_id.npy"):
        refusal(written({key: value for key, value in content.items() if key != name}, path))
    short = np.zeros(7)
    file = io.BytesIO()
    np.save(file, short)
    assert "array position is float64 (7,)" in refusal(
        written(content | {"arrays/position.npy": file.getvalue()}, path)
    )
    whole = saved.read_bytes()
    for end in (10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:end])
        refusal(path)
    refused = 0
    for place in range(100, len(whole) - 2000, len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(zipfile.BadZipFile):
            if entries(path) == content:  # in a date or the like between the data, which nobody reads
                continue
        refusal(path)  # in the data: the sums do not fit
        refused += 1
    assert refused > 30
    assert "no such file" in refusal(tmp_path / "absent")


def test_a_tree_that_points_outside_of_itself_is_refused(saved, tmp_path):
    estimator = fitted("random_forest", "binary", clinic("binary"), min_samples_leaf=10).estimator
    tree = estimator.steps[-1][1].estimators_[3].tree_
    tree.children_left[0] = 10**6
    path = written(entries(saved) | {"estimator.skops": dump_estimator(estimator)}, tmp_path / "m")
    assert "a decision tree in it is broken" in refusal(path)
    tree.children_left[0] = 0  # a node that is its own child: predicting would never end
    path = written(entries(saved) | {"estimator.skops": dump_estimator(estimator)}, tmp_path / "n")
    assert "a decision tree in it is broken" in refusal(path)
    inner = np.flatnonzero(tree.children_left > 0)[0]
    tree.children_left[0], tree.children_left[inner] = 1, inner
    path = written(entries(saved) | {"estimator.skops": dump_estimator(estimator)}, tmp_path / "o")
    assert "a decision tree in it is broken" in refusal(path)


def test_an_estimator_that_needs_pickle_is_not_saved(saved, tmp_path):
    file = read_model_file(saved)
    file.estimator.steps[-1][1].verbose = Path("x").exists  # a method of something that is no estimator's business
    with pytest.raises(StoreError) as raised:
        write_model_file(ModelFile(file.manifest, file.arrays, file.estimator), tmp_path / "m")
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_other_versions_are_said(saved, tmp_path):
    libraries = json.loads(entries(saved)["manifest.json"])["libraries"] | {"scikit-learn": "1.2.3"}
    path = written(entries(saved) | {"manifest.json": manifest_with(saved, libraries=libraries)}, tmp_path / "m")
    with pytest.warns(UserWarning, match=r"saved with scikit-learn 1\.2\.3 \(here"):
        load_predictor(path)


@pytest.mark.parametrize("name", REGISTRY)
def test_every_model_of_the_registry_can_be_saved(name, rng):
    X = rng.integers(0, 3, (60, 12)).astype(np.float32)
    y = X[:, 0] + rng.normal(size=60)
    model = make(name)
    if "max_epochs" in model.get_params():
        model.set_params(max_epochs=2)
    if "checkpoint" in model.get_params():
        model.set_params(checkpoint=None)
    model.fit(X, np.column_stack([y, -y]) if name == "rrblup_multitrait" else y)
    loaded = load_estimator(dump_estimator(model), "test")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.get_params() == model.get_params()
