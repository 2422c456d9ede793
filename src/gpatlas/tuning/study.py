"""`SharedStudy`: an Optuna study in a journal file that processes share, and that goes on after any of them is killed.

A process holds a byte lock for the trial that it runs. A trial that is RUNNING in the journal while nobody holds its
lock was left by a killed process: it is failed, and its place (`index`) is given out again with the same seed.
"""

import json
import time
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.locks import ByteLocks
from gpatlas.seeding import stable_seed

optuna.logging.set_verbosity(optuna.logging.WARNING)

IDENTITY, INDEX = "gpatlas", "index"
STARTUP_TRIALS = 5  # trials before TPE and the median rule judge
_CLAIM, _APPEND, _FIRST_TRIAL = 0, 1, 2  # bytes of the lock file
POLL_SECONDS = 0.2  # between looks at what other processes have done
_NAME = "tune"
_FIRST_WORDS = b'{"op_code"'


class SharedStudy:
    """A study that maximises, opened or begun.

    Parameters
    ----------
    journal
        Optuna's journal file; `.<its name>.locks` beside it holds locks.
    identity
        What makes two runs the same study; kept in the journal and compared.
    seed
        Of the sampler.

    Raises
    ------
    ConfigError
        The journal holds a study of something else; what differs is named.
    StoreError
        The journal cannot be written, or is no journal.
    """

    def __init__(self, journal: Path, identity: Mapping[str, Any], seed: int):
        self._seed = seed
        self.waited = 0.0  # seconds spent waiting for other processes to finish their trials
        self._locks = ByteLocks(journal.with_name(f".{journal.name}.locks"))
        try:
            with self._locks.holding(_CLAIM):
                with self._locks.holding(_APPEND):
                    _mend(journal)
                self._study = _open(journal, _AppendLock(self._locks))
                self._check(journal, json.loads(json.dumps(identity)))
        except BaseException:
            self._locks.close()
            raise

    def close(self) -> None:
        """Give the locks back."""
        self._locks.close()

    def finished(self) -> list[FrozenTrial]:
        """Trials that ran to an end, in the order of their index."""
        done = [t for t in self._counted() if t.state.is_finished()]
        return sorted(done, key=lambda t: t.user_attrs[INDEX])

    def trials(self, n_trials: int) -> Generator[Trial, None, None]:
        """Yield trials to run until `n_trials` have finished in all processes together.

        A trial must be told before the next is asked for; one that is running when the generator is closed is failed.
        """
        while True:
            trial = self.claim(range(n_trials))
            if trial is not None:
                try:
                    yield trial
                finally:
                    self.release(trial)
            elif len(self.finished()) >= n_trials:
                return
            else:  # the last ones run elsewhere; should their process be killed, they are ours
                time.sleep(POLL_SECONDS)
                self.waited += POLL_SECONDS

    def claim(self, indices: Iterable[int | str]) -> Trial | None:
        """Begin the first of these trials that no living process has begun; None where there is none.

        It must be told, and then released.
        """
        with self._locks.holding(_CLAIM):
            for left in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if not self._locks.held_by_another(_FIRST_TRIAL + left.number):
                    self._study.tell(left.number, state=TrialState.FAIL)
            taken = {t.user_attrs[INDEX] for t in self._counted()}
            index = next((i for i in indices if i not in taken), None)
            if index is None:
                return None
            # a sampler of its own for each trial: what it draws depends on the index and on the trials before it
            self._study.sampler = tpe_sampler(stable_seed(self._seed, "trial", index, bits=31))
            trial = self._study.ask()
            self._locks.hold(_FIRST_TRIAL + trial.number)
            trial.set_user_attr(INDEX, index)
            return trial

    def release(self, trial: Trial) -> None:
        """Give a trial back; one that was not told is failed, and its place is given out again."""
        if self._state(trial) is TrialState.RUNNING:
            self.tell(trial, TrialState.FAIL)
        self._locks.free(_FIRST_TRIAL + trial.number)

    def tell(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended."""
        self._study.tell(trial, value, state=state)

    def _counted(self) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False)
        return [t for t in trials if t.state is not TrialState.FAIL and INDEX in t.user_attrs]

    def _state(self, trial: Trial) -> TrialState:
        return self._study.get_trials(deepcopy=False)[trial.number].state

    def _check(self, journal: Path, identity: Mapping[str, Any]) -> None:
        there = self._study.user_attrs.get(IDENTITY)
        if there is None:
            if self._study.get_trials(deepcopy=False):
                raise StoreError(f"{journal}: holds an Optuna study that gpatlas did not make; use another file")
            self._study.set_user_attr(IDENTITY, identity)
            return
        differing = [key for key in {**there, **identity} if there.get(key) != identity.get(key)]
        if differing:
            what = ", ".join(f"{key} ({_shown(there, key)} there, {_shown(identity, key)} here)" for key in differing)
            raise ConfigError(
                f"{journal}: holds a study that differs in {what}; to start anew give another --study, or delete it"
            )


def tpe_sampler(seed: int) -> optuna.samplers.TPESampler:
    """Return the sampler that draws hyperparameters: at random at first, then where trials were good.

    References
    ----------
    Bergstra, Bardenet, Bengio & Kégl (2011) NeurIPS 24: tree-structured Parzen estimators.
    """
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)


class _AppendLock:
    """Optuna's lock around one write, by a byte lock: a killed process does not leave it locked."""

    def __init__(self, locks: ByteLocks):
        self._locks = locks

    def acquire(self) -> bool:
        return self._locks.hold(_APPEND)

    def release(self) -> None:
        self._locks.free(_APPEND)


def _open(journal: Path, lock: Any) -> optuna.Study:
    try:
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))
        return optuna.create_study(storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True)
    except OSError as error:
        raise StoreError(f"cannot write {journal}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{journal}: damaged ({' '.join(str(error).split())}); use another --study") from None


def _mend(journal: Path) -> None:
    """Remove the end of a write that a kill or a full disk broke off; refuse whatever is no journal."""
    try:
        content = journal.read_bytes()
        if content and not content.startswith(_FIRST_WORDS[: len(content)]):  # Optuna would append to it
            raise StoreError(f"{journal}: not a journal of `gpatlas tune`; use another --study")
        if not content.endswith(b"\n"):
            with journal.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)
    except FileNotFoundError:
        return
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot read {journal}: {error.strerror}") from None


def _shown(identity: Mapping[str, Any], key: str) -> str:
    text = json.dumps(identity.get(key))
    return text if len(text) <= 60 else text[:57] + "..."
