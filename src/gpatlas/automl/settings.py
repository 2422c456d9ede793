"""`Settings` of an AutoML run: what may compete, by which score, on which budget."""

import difflib
from dataclasses import dataclass, replace

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.config.automl import SearchSpec
from gpatlas.errors import ConfigError

LOOK_FOLDS, LOOK_SHARE = 2, 0.5  # that all candidates are fitted to first, and the part of the budget for it
MOST_REPEATS = 1000
SEARCH_SHARE = 0.8  # of a budget in seconds; the rest is for the fits that outer folds judge


def _meant(name: str) -> str:
    """Name the nearest candidate by name or title, or all of them."""
    titles = {candidate.title.lower(): key for key, candidate in CANDIDATES.items()}
    by_title = titles.get(name.lower().replace("_", " "))
    close = [by_title] if by_title else difflib.get_close_matches(name, CANDIDATES, n=1, cutoff=0.75)
    return f"; did you mean '{close[0]}'?" if close else f"; known are {', '.join(CANDIDATES)}"


@dataclass(frozen=True)
class Settings:
    """How to search and how to judge the search.

    Parameters
    ----------
    candidates
        Names; empty for all that predict the kind of trait.
    metric
        Score to select by; None for the kind's own.
    budget_fits
        Model fits of one search; reproducible on any machine and number of processes.
    budget_seconds
        Seconds of fitting in the whole run, added over processes, instead of fits.
    outer_folds, outer_repeats
        Folds that judge the whole procedure.
    inner_folds
        Folds that a search compares by.
    stack
        Whether candidates may be averaged.
    one_se
        Whether the cheapest candidate within a standard error of the best is preferred.
    permutations
        Runs with permuted phenotypes.
    seed
        Root of all random numbers.
    """

    candidates: tuple[str, ...] = ()
    metric: str | None = None
    budget_fits: int = 100
    budget_seconds: float | None = None
    outer_folds: int = 5
    outer_repeats: int = 2
    inner_folds: int = 5
    stack: bool = True
    one_se: bool = False
    permutations: int = 20
    seed: int = 1

    def __post_init__(self) -> None:
        for name in self.candidates:
            if name not in CANDIDATES:
                raise ConfigError(f"unknown candidate '{name}'{_meant(name)}")
        for key, least in (("budget_fits", 1), ("outer_folds", 2), ("outer_repeats", 1), ("inner_folds", 2)):
            if getattr(self, key) < least:
                raise ConfigError(f"{key} must be at least {least}, not {getattr(self, key)}")
        if self.outer_repeats > MOST_REPEATS:
            raise ConfigError(f"outer_repeats must be at most {MOST_REPEATS}, not {self.outer_repeats}")
        if self.budget_seconds is not None and not self.budget_seconds > 0:
            raise ConfigError(f"budget_seconds must be above 0, not {self.budget_seconds:g}")

    @classmethod
    def of(cls, search: SearchSpec, seed: int) -> "Settings":
        """Return the settings of a configuration."""
        folds, repeats = search.outer_folds
        same = {name: getattr(search, name) for name in cls.__dataclass_fields__ if name in SearchSpec.model_fields}
        return cls(
            **same | {"candidates": search.candidates or ()},
            outer_folds=folds,
            outer_repeats=repeats,
            inner_folds=search.inner,
            seed=seed,
        )

    def competing(self, kind: str) -> tuple[str, ...]:
        """Names of the candidates for a kind of trait, cheapest first.

        Raises
        ------
        ConfigError
            One that was asked for does not predict this kind.
        """
        for name in self.candidates:
            if kind not in CANDIDATES[name].kinds:
                raise ConfigError(f"candidate {name} does not predict a {kind} trait; leave it out")
        return tuple(
            name
            for name, candidate in CANDIDATES.items()
            if kind in candidate.kinds and (name in self.candidates if self.candidates else not candidate.on_request)
        )

    def of_one_search(self, n_searches: int) -> "Settings":
        """Return the settings with the part of a budget in seconds that falls to one of so many searches."""
        if self.budget_seconds is None:
            return self
        return replace(self, budget_seconds=SEARCH_SHARE * self.budget_seconds / n_searches)
