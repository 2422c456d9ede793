"""Fitted estimators as bytes that can be read without running code: skops, with a fixed list of allowed types.

Skops stores the attributes of objects as JSON and plain arrays. Reading makes only objects of types that are allowed
here, and refuses the file before any of them is made if there is another.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from gpatlas.errors import StoreError

# besides the estimators of scikit-learn, and NumPy's and SciPy's types, that skops allows by itself
OURS = ("gpatlas.models.", "gpatlas.automl.", "gpatlas.munge.")
LIBRARIES = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.tree._tree.Tree",
    }
)
# what calls functions, or makes objects by calling them; estimators need none of these
FORBIDDEN_NODES = frozenset({"MethodNode", "OperatorFuncNode", "PartialNode", "FunctionNode"})


def dump_estimator(estimator: Any) -> bytes:
    """Return a fitted estimator as bytes for `load_estimator`.

    Raises
    ------
    StoreError
        It holds something that `load_estimator` would refuse.
    """
    import skops.io

    try:
        content = skops.io.dumps(estimator)
    except Exception as error:  # skops has no class of its own for what it cannot store
        said = " ".join(str(error).split())
        raise StoreError(f"{type(estimator).__name__} cannot be stored without pickle: {said}") from None
    refuse_untrusted(content, type(estimator).__name__)
    return content


def load_estimator(content: bytes, source: str) -> Any:
    """Make the estimator of `dump_estimator`; `source` is named in errors.

    Raises
    ------
    StoreError
        Damaged, or a type that is not allowed: nothing has been made then.
    """
    import skops.io

    refuse_untrusted(content, source)
    try:
        estimator = skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))
        _refuse_broken_trees(estimator, source)
    except StoreError:
        raise
    except Exception as error:  # content decides which: KeyError, ValueError, TypeError, …
        said = " ".join(str(error).split())
        raise StoreError(f"{source}: its estimator cannot be read ({type(error).__name__}: {said})") from None
    return estimator


def refuse_untrusted(content: bytes, source: str) -> None:
    """Refuse bytes that would make an object of a type that is not allowed, call a function, or grow when opened.

    Raises
    ------
    StoreError
        Naming the types.
    """
    import skops.io

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise StoreError(f"{source}: its estimator is compressed, which gpatlas never does")
            schema = json.loads(archive.read("schema.json"))
        untrusted = set(skops.io.get_untrusted_types(data=content))
    except StoreError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise StoreError(f"{source}: its estimator is damaged ({type(error).__name__}: {said})") from None
    refused = {name for name in untrusted if name not in LIBRARIES and not name.startswith(OURS)}
    refused |= {f"{node['__loader__']} {node.get('__class__')}" for node in _nodes(schema) if _is_forbidden(node)}
    if refused:
        raise StoreError(
            f"{source}: refused, it holds what no model of gpatlas does: {', '.join(sorted(refused))[:300]}; "
            "nothing of it was run"
        )


def _is_forbidden(node: dict[str, Any]) -> bool:
    return node["__loader__"] in FORBIDDEN_NODES and not str(node.get("__module__")).startswith(("numpy", "scipy"))


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield all nodes of a skops schema."""
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "__loader__" in node:
                yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _refuse_broken_trees(estimator: Any, source: str) -> None:
    """Refuse decision trees whose nodes point outside of their arrays or back; scikit-learn would follow them."""
    seen: set[int] = set()
    stack = [estimator]
    while stack:
        thing = stack.pop()
        if id(thing) in seen or isinstance(thing, str | bytes | int | float | None):
            continue
        seen.add(id(thing))
        if type(thing).__name__ == "Tree" and type(thing).__module__ == "sklearn.tree._tree":
            inner = thing.children_left != -1
            children = (thing.children_left[inner], thing.children_right[inner])
            inside = all(((child > np.flatnonzero(inner)) & (child < thing.node_count)).all() for child in children)
            if not inside or not ((thing.feature[inner] >= 0) & (thing.feature[inner] < thing.n_features)).all():
                raise StoreError(f"{source}: a decision tree in it is broken")
        elif isinstance(thing, dict):
            stack += thing.values()
        elif isinstance(thing, list | tuple):
            stack += thing
        elif isinstance(thing, np.ndarray):
            stack += list(thing.ravel()) if thing.dtype.hasobject and thing.dtype.names is None else []
        elif hasattr(thing, "__dict__"):
            stack += vars(thing).values()
