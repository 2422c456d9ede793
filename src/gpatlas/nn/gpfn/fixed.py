"""Fixed effects of the context and the rows that only fill a batch, as one projection."""

from torch import Tensor


def intercept(mask_BN: Tensor) -> Tensor:
    """Return the basis `(B, N, 1)` of the mean of the rows that are there."""
    return (mask_BN / mask_BN.sum(1, keepdim=True).sqrt())[..., None]


def project(columns_BNK: Tensor, basis_BNR: Tensor) -> Tensor:
    """Return (I - AA') · columns."""
    return columns_BNK - basis_BNR @ (basis_BNR.mT @ columns_BNK)


def project_kernel(kernel_BNN: Tensor, basis_BNR: Tensor, mask_BN: Tensor) -> Tensor:
    """Return (I - AA') K (I - AA') of the rows that are there; zeros elsewhere."""
    masked = kernel_BNN * mask_BN[:, None] * mask_BN[..., None]
    return project(project(masked, basis_BNR).mT, basis_BNR)


def project_cross(cross_BQN: Tensor, basis_BNR: Tensor, mask_BN: Tensor) -> Tensor:
    """Return K_qn (I - AA') of the rows that are there."""
    return project((cross_BQN * mask_BN[:, None]).mT, basis_BNR).mT
