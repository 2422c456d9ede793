"""Which draw comes when: every batch has a number, and its number alone says what is in it.

Draws do not depend on who makes them, nor on when. Training on the fly, from a cache and from a queue is therefore the
same training, and a batch that was lost with its maker is made again.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpatlas import __version__
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.priors import DEFAULT_MIXTURE, Task, TraitLaw, make
from gpatlas.seeding import stable_seed
from gpatlas.train.pace import warm_up_cosine

_OF_TRAITS = {"infinitesimal", "background", "polygenic_epistasis"}
_OF_DRAWS = {"seed", "prior", "batch_size", "n_samples", "n_markers"} | _OF_TRAITS


@dataclass(frozen=True)
class Schedule:
    """The batches of a recipe."""

    spec: PretrainSpec

    @property
    def weights(self) -> dict[str, float]:
        """Priors and their weights, those that are drawn."""
        prior = self.spec.prior
        mixture = DEFAULT_MIXTURE if prior == "default" else {prior: 1.0} if isinstance(prior, str) else prior
        return {name: weight for name, weight in mixture.items() if weight > 0}

    @property
    def of_draws(self) -> dict[str, Any]:
        """What of the recipe its draws depend on."""
        return self.spec.model_dump(mode="json", include=_OF_DRAWS)

    @property
    def mark(self) -> str:
        """Says which draws these are: equal for recipes that differ in the network and its training alone."""
        return f"{stable_seed(0, __version__, json.dumps(self.of_draws, sort_keys=True), bits=64):016x}"

    def size(self, batch: int) -> tuple[int, int]:
        """Samples and markers of a batch's populations."""
        rng = np.random.default_rng(stable_seed(self.spec.seed, "gpfn", "size", batch))
        return _log_uniform(self.spec.n_samples, rng), _log_uniform(self.spec.n_markers, rng)

    def tasks(self, batch: int, members: range | None = None) -> list[Task]:
        """Draw a batch's populations, or some of them."""
        size, chosen = self.size(batch), range(self.spec.batch_size) if members is None else members
        return [self._draw(self._seed("draw", batch, member), *size) for member in chosen]

    def validation(self, prior: str) -> list[Task]:
        """Draw the fixed populations of a prior that no training sees; of the middle of the sizes trained on."""
        return [self._fixed("validation", prior, number) for number in range(self.spec.n_validation)]

    def calibration(self) -> Iterator[Task]:
        """Draw the populations of all priors that intervals are adjusted by; as those of validation, but others."""
        for number in range(self.spec.n_calibration):
            for prior in sorted(self.weights):
                yield self._fixed("calibration", prior, number)

    def _fixed(self, purpose: str, prior: str, number: int) -> Task:
        size = tuple(round(math.sqrt(low * high)) for low, high in (self.spec.n_samples, self.spec.n_markers))
        return make(prior).draw(self._seed(purpose, prior, number), *size)

    def _draw(self, seed: int, n_samples: int, n_markers: int) -> Task:
        names = sorted(self.weights)
        shares = np.array([self.weights[name] for name in names])
        rng = np.random.default_rng(stable_seed(seed, "prior"))
        law = TraitLaw(**self.spec.model_dump(include=_OF_TRAITS))
        return make(names[rng.choice(len(names), p=shares / shares.sum())], law=law).draw(seed, n_samples, n_markers)

    def _seed(self, *what: str | int) -> int:
        return stable_seed(self.spec.seed, "gpfn", *what, bits=63)

    def learning_rate(self, batch: int) -> float:
        """Learning rate of a step."""
        spec = self.spec
        return warm_up_cosine(batch, spec.n_batches, spec.learning_rate, spec.warm_up)


def _log_uniform(bounds: tuple[int, int], rng: np.random.Generator) -> int:
    low, high = bounds
    return min(int(np.exp(rng.uniform(np.log(low), np.log(high + 1)))), high)
