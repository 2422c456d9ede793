"""One seed per job: a stable hash of the root seed and of what the job is.

A job's random numbers depend on the root seed, the experiment, its design row and its stage, and on nothing else:
not on the order of rows, the number of cores or the rows beside it.
"""

import hashlib
import json
from typing import Any

import numpy as np


def stable_seed(root: int, *parts: Any, bits: int = 128) -> int:
    """Hash a root seed and any JSON-like description of a job to an integer seed.

    Parameters
    ----------
    root
        The experiment's `seed` key.
    *parts
        Strings, numbers, lists or mappings that name the job. Mappings are compared by content, not by order.
    bits
        Width of the result (R's `set.seed` takes 31, torch 63).

    Returns
    -------
    int
        Uniform on [0, 2**bits), the same on every platform and in every process.
    """
    text = json.dumps([root, *parts], sort_keys=True, separators=(",", ":"), default=_plain)
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little") >> (128 - bits)


def _plain(value: Any) -> Any:
    """Turn NumPy scalars into Python numbers, so that 1000 and np.int64(1000) name the same job."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot derive a seed from {type(value).__name__}")
