"""Kernels of samples in genotype space, and what centring them on the training samples gives.

With z the coded genotype of a sample (`Coding`: dosage minus the training mean, per locus), the kernels are

    pairs      Σ_{i<j} z_si z_sj z_ti z_tj  =  [(z_s'z_t)² - Σ_i z_si² z_ti²] / 2
    Gaussian   exp(-|z_s - z_t|² / bandwidth)

The first is exactly the inner product of all p(p-1)/2 products of two different loci; the Hadamard square
(z_s'z_t)², which is often used for it, also counts each pair twice and each locus with itself (Martini et al. 2016,
Theor. Appl. Genet. 129:963). The coding matters: an effect of a product of centred dosages is a deviation from what
the two loci do on average in the training samples, thus products and loci are uncorrelated between unlinked loci, and
variances add up.

A mean is always fitted, so that only contrasts of samples matter. `CentredKernel` is the kernel of the features'
deviations from their mean over the training samples,

    k_c(s, t) = k(s, t) - mean_a k(s, a) - mean_b k(b, t) + mean_ab k(a, b)
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gpatlas.memory import total_memory
from gpatlas.models.products import row_blocks

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Coding:
    """Genotypes as deviations from their mean, in copies of the allele or in standard deviations.

    Parameters
    ----------
    mean, scale
        `(n_loci,)`; a locus that does not vary has an infinite scale, so that no rounding is taken for genotypes.
    """

    mean: Array
    scale: Array

    @classmethod
    def of(cls, x: NDArray, standardise: bool = False) -> "Coding":
        """Take means, and where wanted standard deviations, of dosages `(n_samples, n_loci)`."""
        mean, sd = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
        return cls(mean, np.where(sd > 1e-12 * np.abs(mean), sd if standardise else 1.0, np.inf))

    def __call__(self, x: NDArray) -> Array:
        """Return coded genotypes, `(n_samples, n_loci)`."""
        return (x - self.mean) / self.scale


class Kernel(Protocol):
    """A covariance function of coded genotypes."""

    def between(self, a: Array, b: Array) -> Array:
        """Return `(len(a), len(b))`."""
        ...

    def itself(self, a: Array) -> Array:
        """Return the diagonal of `between(a, a)`, `(len(a),)`."""
        ...


@dataclass(frozen=True)
class PairKernel:
    """Inner product of all products of two different loci."""

    def between(self, a: Array, b: Array) -> Array:
        """Return `(len(a), len(b))`."""
        kernel = a @ b.T
        kernel *= kernel
        kernel -= a**2 @ (b**2).T
        kernel *= 0.5
        return kernel

    def itself(self, a: Array) -> Array:
        """Return the diagonal of `between(a, a)`."""
        square = a**2
        return (square.sum(axis=1) ** 2 - (square**2).sum(axis=1)) / 2


@dataclass(frozen=True)
class GaussianKernel:
    """exp(-squared distance / bandwidth)."""

    bandwidth: float

    def between(self, a: Array, b: Array) -> Array:
        """Return `(len(a), len(b))`."""
        kernel = squared_distances(a, b)
        kernel /= -self.bandwidth
        return np.exp(kernel, out=kernel)

    def itself(self, a: Array) -> Array:
        """Return the diagonal of `between(a, a)`, which is 1."""
        return np.ones(len(a))


def squared_distances(a: Array, b: Array) -> Array:
    """Return squared Euclidean distances `(len(a), len(b))`."""
    distances = a @ b.T
    distances *= -2
    distances += (a**2).sum(axis=1)[:, None]
    distances += (b**2).sum(axis=1)
    return np.maximum(distances, 0.0, out=distances)


def pair_products(z: Array) -> Array:
    """Return the products of all pairs of loci, i < j, `(n_samples, p(p-1)/2)`: the features of `PairKernel`."""
    n, p = z.shape
    products, start = np.empty((n, p * (p - 1) // 2)), 0
    for locus in range(p - 1):
        stop = start + p - 1 - locus
        np.multiply(z[:, locus, None], z[:, locus + 1 :], out=products[:, start:stop])
        start = stop
    return products


@dataclass(frozen=True)
class CentredKernel:
    """A kernel of deviations from the mean of the training samples; see the module's head.

    Parameters
    ----------
    kernel
        Of coded genotypes.
    coding
        How dosages are coded.
    x
        `(n, n_loci)` dosages of the training samples.
    means, mean
        `(n,)` means of the training samples' kernel over its rows, and their mean.
    """

    kernel: Kernel
    coding: Coding
    x: NDArray
    means: Array
    mean: float

    @classmethod
    def of(cls, kernel: Kernel, coding: Coding, x: NDArray) -> tuple["CentredKernel", Array]:
        """Return it and its matrix `(n, n)` of the training samples."""
        z = coding(x)
        matrix = np.empty((len(x), len(x)))
        for rows in row_blocks(x, len(x)):
            matrix[rows] = kernel.between(z[rows], z)
        means = matrix.mean(axis=1)
        mean = float(means.mean())
        matrix -= means
        matrix -= means[:, None] - mean
        return cls(kernel, coding, x, means, mean), matrix

    def between(self, x: NDArray) -> tuple[Array, Array]:
        """Return new samples' kernel with the training samples `(n_new, n)` and with themselves `(n_new,)`."""
        z = self.coding(x)
        cross = self.kernel.between(z, self.coding(self.x))
        own = cross.mean(axis=1)
        cross -= self.means
        cross -= own[:, None] - self.mean
        return cross, self.kernel.itself(z) - 2 * own + self.mean


def refuse_beyond_memory(problem: str, needed: float, way_out: str) -> None:
    """Refuse what does not fit into this machine's memory, before it is tried.

    Parameters
    ----------
    problem
        What it is, in words.
    needed
        Bytes.
    way_out
        What to do instead.

    Raises
    ------
    ValueError
        It would not fit.
    """
    if needed > (memory := total_memory()):
        raise ValueError(
            f"{problem} needs {needed / 1e9:,.1f} GB of memory, and this machine has {memory / 1e9:,.1f} GB; {way_out}"
        )


def bytes_held(size: int) -> float:
    """Bytes of a float64 matrix with so many rows and what its decomposition in place needs beside it."""
    return 24.0 * size**2
