"""The published GPFN: a transformer whose tokens are the rows of a population.

A context row carries its features and its phenotype, a query its features alone; all attend to the context, so that
queries do not see each other. The distribution of each query's genetic value is a bar distribution (or a normal).
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.nn.gpfn.features import FEATURES, feature_map
from gpatlas.nn.gpfn.population import Population
from gpatlas.nn.gpfn.prediction import OUTPUTS, BarDistribution, Prediction, normal_log_density


@dataclass(frozen=True)
class Encoded:
    """A context after all layers: keys and values of each, `(B, H, N, D/H)`, and the map of features."""

    map: Tensor
    keys: list[tuple[Tensor, Tensor]]
    hidden: Tensor
    noise: Tensor
    allowed: Tensor

    @property
    def weights(self) -> Tensor:
        """Of the one expert, `(B, 1)`."""
        return torch.ones_like(self.noise)[:, None]

    @property
    def marker_weights(self) -> Tensor:
        """How much each marker moves the features, relative to the mean, `(B, M)`."""
        moved = self.map.square().sum(2)
        return moved / moved.mean(1, keepdim=True).clamp(min=1e-30)


class RowTransformer(nn.Module):
    """A transformer on rows.

    Parameters
    ----------
    features, n_features
        What a row is described by (`gpatlas.nn.gpfn.features`), and by how many numbers F.
    width, n_layers, n_heads, feed_forward
        D; layers; heads in each; the hidden layer's width in multiples of D.
    n_buckets
        Of the bar distribution.
    output
        "bar" or "gaussian".
    """

    def __init__(
        self,
        features: str = "pca",
        n_features: int = 100,
        width: int = 128,
        n_layers: int = 4,
        n_heads: int = 4,
        feed_forward: float = 2.0,
        n_buckets: int = 50,
        output: str = "bar",
        interval_factor: float = 1.0,
    ):
        super().__init__()
        for value, known in ((features, FEATURES), (output, OUTPUTS)):
            if value not in known:
                raise ConfigError(f"architecture transformer: unknown '{value}'{did_you_mean(value, known)}")
        if width % n_heads:
            raise ConfigError(f"architecture transformer: width {width} is no multiple of n_heads {n_heads}")
        self.settings: dict[str, Any] = {
            "architecture": "transformer",
            "features": features,
            "n_features": n_features,
            "width": width,
            "n_layers": n_layers,
            "n_heads": n_heads,
            "feed_forward": feed_forward,
            "n_buckets": n_buckets,
            "output": output,
            "interval_factor": interval_factor,
        }
        self.genotype, self.phenotype = nn.Linear(n_features, width), nn.Linear(1, width)
        self.unknown = nn.Parameter(torch.zeros(width))
        hidden = max(1, round(feed_forward * width))
        self.layers = nn.ModuleList(RowLayer(width, n_heads, hidden) for _ in range(n_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, n_buckets if output == "bar" else 2)
        self.noise = nn.Linear(width, 1)
        self.bars = BarDistribution(n_buckets)

    def forward(self, population: Population, query_BQM: Tensor) -> Prediction:
        """Predict queries from a context."""
        return self.predict(self.condition(population), query_BQM)

    def condition(self, population: Population, shared: Any = None) -> Encoded:
        """Encode the context; nothing is `shared` by traits, for features may depend on the phenotype."""
        z_BNM = population.z.to(population.y)
        with torch.no_grad():
            map_BMF = feature_map(self.settings["features"], z_BNM, population.y, self.settings["n_features"])
        h_BND = self.genotype(z_BNM @ map_BMF) + self.phenotype(population.y[..., None])
        allowed, keys = population.mask[:, None, None] > 0, []
        for layer in self.layers:
            keys.append(layer.keys(h_BND))
            h_BND = layer(h_BND, *keys[-1], allowed)
        mask_BN1 = population.mask[..., None]
        pooled_BD = (self.norm(h_BND) * mask_BN1).sum(1) / mask_BN1.sum(1)
        return Encoded(map_BMF, keys, pooled_BD, torch.sigmoid(self.noise(pooled_BD)[:, 0]), allowed)

    def predict(self, encoded: Encoded, query_BQM: Tensor) -> Prediction:
        """Predict queries, genotypes less the context's mean `(B, Q, M)`."""
        h_BQD = self.genotype(query_BQM.to(encoded.map) @ encoded.map) + self.unknown
        for layer, (key, value) in zip(self.layers, encoded.keys, strict=True):
            h_BQD = layer(h_BQD, key, value, encoded.allowed)
        out = self.head(self.norm(h_BQD))
        log_mass = None
        if self.settings["output"] == "bar":
            log_mass = F.log_softmax(out, -1)
            mean, variance = self.bars.moments(log_mass)
        else:
            mean, variance = out[..., 0], F.softplus(out[..., 1])
        variance = variance * self.settings["interval_factor"] ** 2
        return Prediction(
            mean, variance, encoded.noise, mean[..., None], variance[..., None], encoded.weights, log_mass
        )

    def log_density(self, predicted: Prediction, value_BQ: Tensor) -> Tensor:
        """Return the log density of genetic values under a prediction, `(B, Q)`."""
        if predicted.log_mass is not None:
            return self.bars.log_density(predicted.log_mass, value_BQ)
        return normal_log_density(predicted.mean, predicted.variance, value_BQ)


class RowLayer(nn.Module):
    """Attention to the context, then a hidden layer; both see normalised tokens and add to them."""

    def __init__(self, width: int, n_heads: int, hidden: int):
        super().__init__()
        self.n_heads = n_heads
        self.before_attention, self.before_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value, self.out = (
            nn.Linear(width, width),
            nn.Linear(width, 2 * width),
            nn.Linear(width, width),
        )
        self.hidden = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        for adds in (self.out, self.hidden[2]):
            nn.init.zeros_(adds.weight)
            nn.init.zeros_(adds.bias)

    def keys(self, context_BND: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of the context, `(B, H, N, D/H)` each."""
        key, value = self.key_value(self.before_attention(context_BND)).chunk(2, -1)
        return self._heads(key), self._heads(value)

    def forward(self, h_BQD: Tensor, key_BHNE: Tensor, value_BHNE: Tensor, allowed: Tensor) -> Tensor:
        """Return tokens `(B, Q, D)`."""
        query = self._heads(self.query(self.before_attention(h_BQD)))
        mixed = F.scaled_dot_product_attention(query, key_BHNE, value_BHNE, attn_mask=allowed)
        h_BQD = h_BQD + self.out(mixed.transpose(1, 2).flatten(2))
        return h_BQD + self.hidden(self.before_hidden(h_BQD))

    def _heads(self, z: Tensor) -> Tensor:
        return z.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
