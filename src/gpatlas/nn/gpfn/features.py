"""Rows of a population as a fixed number of features, whatever its markers: the choices of the published GPFN.

Every choice is a linear map of genotypes that is made from the context alone; queries pass through it one by one, so
that no prediction depends on who else is predicted. (The published pipeline takes principal components of context and
queries together.) Features have the sign in which they go with the phenotype, thus the coding of alleles and the sign
of a component say nothing, and a mean variance of 1.

pca            principal components
strided_pca    principal components of each of 20 stretches of the genome
rp             very sparse random projections (Li, Hastie & Church 2006), equal for equal numbers of markers
downsample     means of stretches of neighbouring markers
g              relationships with the first rows of context
correlation    the markers of largest correlation with the phenotype
mi             those of largest mutual information with it, each genotype a normal of its own
regression     those of largest effect in a ridge regression of all
sequential     forward selection: the largest correlation with what the markers before left
greedy         markers that vary and are least alike: of the least largest correlation with those before
composite      half relationships, half correlations
"""

from itertools import pairwise

import torch
from torch import Tensor

FEATURES = (
    "pca",
    "strided_pca",
    "rp",
    "downsample",
    "g",
    "correlation",
    "mi",
    "regression",
    "sequential",
    "greedy",
    "composite",
)
_STRETCHES = 20
_SEED = 20230525  # of random projections: a choice like another, but always the same


def feature_map(kind: str, z_BNM: Tensor, y_BN: Tensor, n_features: int) -> Tensor:
    """Return the map `(B, M, F)` from centred genotypes to features; zeros where a population has too few."""
    maps = [_of_one(kind, z, y, n_features) for z, y in zip(z_BNM, y_BN, strict=True)]
    map_BMF = torch.stack([torch.nn.functional.pad(found, (0, n_features - found.shape[1])) for found in maps])
    seen_BNF = z_BNM @ map_BMF
    sign_BF = torch.sign(torch.einsum("bnf,bn->bf", seen_BNF, y_BN))
    used_BF = (seen_BNF.square().sum(1) > 1e-10).to(z_BNM)
    scale_B = seen_BNF.square().sum((1, 2)) / (used_BF.sum(1).clamp(min=1.0) * (y_BN.square().sum(1)).clamp(min=1e-12))
    return map_BMF * sign_BF[:, None] * scale_B.clamp(min=1e-12).rsqrt()[:, None, None]


def _of_one(kind: str, z: Tensor, y: Tensor, n: int) -> Tensor:
    """Return a map `(M, at most n)` for one population."""
    n_markers = z.shape[1]
    if kind == "pca":
        return _components(z, n)
    if kind == "strided_pca":
        cuts = torch.linspace(0, n_markers, _STRETCHES + 1).round().long().tolist()
        found = z.new_zeros(n_markers, 0)
        for start, stop in pairwise(cuts):
            part = z.new_zeros(n_markers, max(1, n // _STRETCHES))
            components = _components(z[:, start:stop], part.shape[1])
            part[start:stop, : components.shape[1]] = components
            found = torch.cat([found, part], 1)
        return found[:, :n]
    if kind == "rp":
        generator = torch.Generator().manual_seed(_SEED)
        drawn = torch.rand(n_markers, n, generator=generator)
        density = n_markers**-0.5
        return ((drawn < density / 2).to(z) - (drawn > 1 - density / 2).to(z)).to(z.device)
    if kind == "downsample":
        stretch = torch.arange(n_markers, device=z.device) * min(n, n_markers) // n_markers
        return torch.nn.functional.one_hot(stretch).to(z)
    if kind == "g":
        return z[:n].T
    if kind == "composite":
        return torch.cat([_unit(z, z[: n // 2].T), _unit(z, _of_one("correlation", z, y, n - n // 2))], 1)
    choose = {"sequential": _forward, "greedy": _least_alike}.get(kind)
    if choose is not None:
        markers = choose(z, y, min(n, n_markers))
    else:
        score = {"correlation": _correlation, "mi": _information, "regression": _effects}[kind](z, y)
        markers = score.topk(min(n, n_markers)).indices
    found = z.new_zeros(n_markers, len(markers))
    found[markers, torch.arange(len(markers), device=z.device)] = 1.0
    return found


def _unit(z: Tensor, found: Tensor) -> Tensor:
    """Give each part of a composite a mean variance of 1."""
    return found / (z @ found).square().mean().sqrt().clamp(min=1e-6)


def _components(z: Tensor, n: int) -> Tensor:
    """Return loadings of principal components, from the smaller of the two products."""
    e, u = torch.linalg.eigh(z @ z.T)
    kept = e > e[-1].clamp(min=1e-12) * 1e-6
    e, u = e[kept].flip(0)[:n], u[:, kept].flip(1)[:, :n]
    return z.T @ (u / e.sqrt())


def _norms(z: Tensor) -> Tensor:
    return z.square().sum(0).sqrt()


def _correlation(z: Tensor, y: Tensor) -> Tensor:
    norm = _norms(z)
    return torch.where(norm > 1e-6, (y @ z).abs() / norm.clamp(min=1e-6), 0.0)


def _information(z: Tensor, y: Tensor) -> Tensor:
    """Return -log(1 - η²)/2, η² the share of the phenotype's variance that lies between genotypes."""
    between = torch.zeros_like(z[0])
    dosage = (z - z.amin(0)).round()
    for level in range(int(dosage.max()) + 1):
        carriers = (dosage == level).to(z)
        between += (y @ carriers).square() / carriers.sum(0).clamp(min=1.0)
    return -0.5 * torch.log1p(-(between / y.square().sum().clamp(min=1e-12)).clamp(max=1 - 1e-6))


def _effects(z: Tensor, y: Tensor) -> Tensor:
    kernel = z @ z.T
    penalty = kernel.diagonal().mean().clamp(min=1e-12)  # a heritability of one half
    solved = torch.linalg.solve(kernel + penalty * torch.eye(len(z), dtype=z.dtype, device=z.device), y)
    return (solved @ z).abs()


def _forward(z: Tensor, y: Tensor, n: int) -> Tensor:
    """Orthogonal least squares (Chen, Billings & Luo 1989)."""
    left_z, left_y, chosen = z.clone(), y.clone(), []
    for _ in range(n):
        best = int(_correlation(left_z, left_y).argmax())
        axis = left_z[:, best]
        if axis.square().sum() < 1e-8:
            break
        axis = axis / axis.square().sum().sqrt()
        left_y = left_y - axis * (axis @ left_y)
        left_z = left_z - torch.outer(axis, axis @ left_z)
        chosen.append(best)
    return torch.tensor(chosen, dtype=torch.long, device=z.device)


def _least_alike(z: Tensor, y: Tensor, n: int) -> Tensor:
    norm = _norms(z)
    unit = z / norm.clamp(min=1e-6)
    worst = torch.where(norm > 1e-6, 0.0, torch.inf).to(z)
    chosen = [int(norm.argmax())]
    for _ in range(n - 1):
        worst = torch.maximum(worst, (unit[:, chosen[-1]] @ unit).abs())
        worst[chosen[-1]] = torch.inf
        if worst.min() == torch.inf:
            break
        chosen.append(int(worst.argmin()))
    return torch.tensor(chosen, dtype=torch.long, device=z.device)
