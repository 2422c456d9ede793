"""What a population is known by."""

import hashlib

import numpy as np

from gpatlas.priors import Task


def content_hash(task: Task) -> str:
    """Hash a population: equal hashes mean the same draw."""
    digest = hashlib.blake2b(digest_size=8)
    for array in (task.genotypes, task.position, task.phenotype, task.genetic_value, task.context):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
