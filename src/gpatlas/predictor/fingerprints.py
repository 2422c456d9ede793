"""Whether new samples were in the training data, told from hashes: the genotypes themselves do not travel.

Loci, evenly spaced where there are very many, are dealt out to chunks in turn, and each sample's dosages of a chunk are
hashed. A copy of a training sample shares all its hashes, one with some other calls still shares some; a chunk that
lacks a locus in the new data tells nothing and is left out. The training data's hash as a salt keeps hashes of
models of different data from being compared; it is no secret, and a guess of a genotype can be tested.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK, _MOST_CHUNKS = 100, 64  # loci of a chunk at least (but where there are fewer), and chunks at most
_SHARE = 0.25  # of the whole chunks that must be known
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
        genotypes = genotypes[:, _spaced(genotypes.shape[1])]
        agree = np.zeros(genotypes.shape[1])
        for dosage in np.unique(genotypes):
            agree += (genotypes == dosage).mean(axis=0) ** 2
        chance = np.array([np.log10(agree[k::n_chunks]).sum() for k in range(n_chunks)])
        return cls(np.sort(_hashes(genotypes, n_chunks, salt), axis=1), chance, salt)

    @property
    def n_training(self) -> int:
        """Number of training samples."""
        return self.hashes.shape[1]

    def known(self, genotypes: NDArray[np.int8], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which samples, dosage `(n_samples, n_loci)` at the same loci, were in the training data.

        `usable`, `(n_loci,)`, says which of the loci the new data hold.
        """
        whole = self._whole(usable)
        if not whole.any():
            return np.zeros(len(genotypes), dtype=bool)
        hashes = _hashes(genotypes[:, _spaced(genotypes.shape[1])], len(self.hashes), self.salt)
        found = np.stack([np.isin(hashes[k], self.hashes[k]) for k in np.flatnonzero(whole)])
        by_chance = self._pairs(len(genotypes)) + self.chance[whole] @ found
        return (found.mean(axis=0) >= _SHARE) & (by_chance < np.log10(_BY_CHANCE))

    def can_tell(self, n_samples: int, usable: NDArray[np.bool_]) -> bool:
        """Whether the chunks of which every locus is usable tell a copy from a coincidence among so many samples."""
        return bool(self._pairs(n_samples) + self.chance[self._whole(usable)].sum() < np.log10(_BY_CHANCE))

    def _whole(self, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
        n_chunks, spaced = len(self.hashes), usable[_spaced(len(usable))]
        return np.array([spaced[k::n_chunks].all() for k in range(n_chunks)])

    def _pairs(self, n_samples: int) -> float:
        return float(np.log10(max(1, self.n_training) * max(1, n_samples)))


def _spaced(n_loci: int) -> slice:
    """Loci that are hashed: so few that chunks stay small, or one absent locus would spoil a large one."""
    return slice(None, None, max(1, n_loci // (_CHUNK * _MOST_CHUNKS)))


def _hashes(genotypes: NDArray[np.int8], n_chunks: int, salt: str) -> NDArray[np.uint64]:
    """Return uint64 `(n_chunks, n_samples)`."""
    hashes = np.empty((n_chunks, len(genotypes)), dtype=np.uint64)
    key = salt.encode()
    for k in range(n_chunks):
        for row, dosage in enumerate(np.ascontiguousarray(genotypes[:, k::n_chunks])):
            hashes[k, row] = int.from_bytes(hashlib.blake2b(dosage.data, digest_size=8, key=key).digest(), "little")
    return hashes
