"""Whether new samples were in the training data, told from hashes: the genotypes themselves do not travel.

The loci are dealt out to chunks in turn, and each sample's dosages of a chunk are hashed. A copy of a training sample
shares all its hashes, one with some other calls still shares some. A salt of the model's own keeps hashes of different
models from being compared; it is no secret, and a guess of a genotype can be tested.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK, _MOST_CHUNKS = 100, 16  # loci of a chunk at least (but where there are fewer), and chunks at most
_SHARE = 0.25  # of the chunks that must be known
_BY_CHANCE = 0.01  # expected number of samples that look known and are not, at most


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of the training samples.

    Parameters
    ----------
    hashes
        uint64 `(n_chunks, n_training)`, each row sorted, so that the hashes of a sample are not together.
    chance
        log10 of the probability that two unrelated samples agree in a chunk, `(n_chunks,)`.
    salt
        Of this model.
    """

    hashes: NDArray[np.uint64]
    chance: NDArray[np.float64]
    salt: str

    @classmethod
    def of(cls, genotypes: NDArray[np.int8], salt: str) -> "Fingerprints":
        """Take fingerprints of training samples, dosage `(n_training, n_loci)` with -1 for missing."""
        n_chunks = int(np.clip(genotypes.shape[1] // _CHUNK, 1, _MOST_CHUNKS))
        agree = np.zeros(genotypes.shape[1])
        for dosage in np.unique(genotypes):
            agree += (genotypes == dosage).mean(axis=0) ** 2
        chance = np.array([np.log10(agree[k::n_chunks]).sum() for k in range(n_chunks)])
        return cls(np.sort(_hashes(genotypes, n_chunks, salt), axis=1), chance, salt)

    @property
    def n_training(self) -> int:
        """Number of training samples."""
        return self.hashes.shape[1]

    def known(self, genotypes: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Say which samples, dosage `(n_samples, n_loci)` at the same loci, were in the training data."""
        n_chunks = len(self.hashes)
        found = np.stack(
            [
                np.isin(of_chunk, known)
                for of_chunk, known in zip(_hashes(genotypes, n_chunks, self.salt), self.hashes, strict=True)
            ]
        )
        pairs = np.log10(max(1, self.n_training) * max(1, len(genotypes)))
        by_chance = pairs + self.chance @ found
        return (found.mean(axis=0) >= _SHARE) & (by_chance < np.log10(_BY_CHANCE))

    def can_tell(self, n_samples: int) -> bool:
        """Whether the loci are enough to know a copy from a coincidence among so many samples."""
        return bool(np.log10(max(1, self.n_training * n_samples)) + self.chance.sum() < np.log10(_BY_CHANCE))


def _hashes(genotypes: NDArray[np.int8], n_chunks: int, salt: str) -> NDArray[np.uint64]:
    """Return uint64 `(n_chunks, n_samples)`."""
    hashes = np.empty((n_chunks, len(genotypes)), dtype=np.uint64)
    key = salt.encode()
    for k in range(n_chunks):
        for row, dosage in enumerate(np.ascontiguousarray(genotypes[:, k::n_chunks])):
            hashes[k, row] = int.from_bytes(hashlib.blake2b(dosage.data, digest_size=8, key=key).digest(), "little")
    return hashes
