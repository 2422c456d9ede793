"""The multilayer perceptron, published or ours, and its limit without hidden layers, the linear model."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Perceptron(nn.Module):
    """Fully connected layers, each with batch normalisation and an activation, and a linear output.

    Parameters
    ----------
    n_features, n_outputs
        Inputs F and traits T.
    hidden
        Widths of the hidden layers; none gives a linear model.
    activation
        Key of `ACTIVATIONS`.
    batch_norm_momentum
        Weight of the newest batch in the running statistics (torch's convention).
    output_norm
        Whether the output, too, is batch-normalised (as published).
    linear_skip
        Whether a linear map from the features is added to the output, so that additive effects need not pass
        through the hidden layers; it starts at zero.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        hidden: Sequence[int],
        activation: str = "silu",
        batch_norm_momentum: float = 0.1,
        output_norm: bool = False,
        linear_skip: bool = False,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        width = n_features
        for n_units in hidden:
            layers += [nn.Linear(width, n_units), nn.BatchNorm1d(n_units, momentum=batch_norm_momentum)]
            layers.append(ACTIVATIONS[activation]())
            width = n_units
        layers.append(nn.Linear(width, n_outputs))
        if output_norm:
            layers.append(nn.BatchNorm1d(n_outputs, momentum=batch_norm_momentum))
        self.layers = nn.Sequential(*layers)
        self.skip = nn.Linear(n_features, n_outputs, bias=False) if linear_skip else None
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)

    def forward(self, x_BF: Tensor) -> Tensor:
        """Return predictions `(B, T)`."""
        y_BT = self.layers(x_BF)
        return y_BT if self.skip is None else y_BT + self.skip(x_BF)


def seeded(build: Callable[..., nn.Module], seed: int, *args: object, **kwargs: object) -> nn.Module:
    """Build a module whose initial weights depend on `seed` alone, leaving torch's global generator untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(*args, **kwargs)
