"""Samples that stay on the device, as small as they can be: bits, int8 or float32."""

import torch
from torch import Tensor

_PACK_FROM = 1 << 28  # values; below, bytes are small enough and need no unpacking in every step


class DeviceRows:
    """Dosage on a device, of which batches are taken.

    Many haploid genotypes (0/1) are kept as bits, eight loci in a byte, the least significant bit first, as in
    `gpatlas.packed`: a million samples by 6 326 loci are 0.8 GB. Batches are unpacked on the device.

    Parameters
    ----------
    x
        `(n, N)`, int8 or float32.
    device
        Where it is kept.
    pack_from
        Number of values from which 0/1 are packed.
    """

    def __init__(self, x: Tensor, device: torch.device, pack_from: int = _PACK_FROM):
        self.n_loci = x.shape[1]
        self.packed = x.dtype == torch.int8 and x.numel() >= pack_from and x.min().item() >= 0 and x.max().item() <= 1
        self.values = _pack(x).to(device) if self.packed else x.to(device)
        self.shifts = torch.arange(8, dtype=torch.uint8, device=device)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Tensor) -> Tensor:
        """Return the dosage `(B, N)` of some rows."""
        values = self.values[rows]
        if not self.packed:
            return values
        bits = (values[:, :, None] >> self.shifts) & 1
        return bits.flatten(1)[:, : self.n_loci].to(torch.int8)


def _pack(x: Tensor) -> Tensor:
    """Pack bits, a few thousand samples at a time."""
    width = -(-x.shape[1] // 8)
    packed = torch.empty((len(x), width), dtype=torch.uint8)
    weights = (1 << torch.arange(8)).to(torch.uint8)
    for source, target in zip(x.split(4096), packed.split(4096), strict=True):
        padded = torch.nn.functional.pad(source.to(torch.uint8), (0, 8 * width - x.shape[1]))
        target.copy_((padded.unflatten(1, (width, 8)) * weights).sum(dim=2, dtype=torch.uint8))
    return packed
