"""`gpatlas`: one verb per workflow rule. Verbs read, call and write; the science is in the package."""

import atexit
import gc
import os
import sys
import warnings
from typing import NoReturn

import typer

from gpatlas import __version__
from gpatlas.errors import GpatlasError

app = typer.Typer(
    name="gpatlas",
    help="Which model predicts a phenotype best from genotypes, by how much, and why.",
    epilog="Every verb has --help with an example.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        print(f"gpatlas {__version__}")
        raise typer.Exit


_OUT_OF_MEMORY = "out of memory; use fewer samples or loci, or a machine with more"


def main() -> NoReturn:
    """Run the command line; the entry point of the `gpatlas` script."""
    # Imports make a million objects that live to the end. Looking for garbage among them every few hundred, and once
    # more on the way out, would cost a process with torch 1.5 of its 3.9 CPU seconds of start and end.
    gc.set_threshold(100_000, 20, 100)
    atexit.register(gc.freeze)
    warnings.formatwarning = lambda message, *_, **__: f"gpatlas: warning: {' '.join(str(message).split())}\n"
    # verbs register themselves, in the order in which they are used
    from gpatlas.cli import configure, simulate, simulate_cohort  # noqa: F401, I001
    from gpatlas.cli import import_genotypes, split, impute, export_genotypes, inspect, munge, harmonize  # noqa: F401
    from gpatlas.cli import hparams, tune, fit, automl, gpfn, perceiver, predict, evaluate  # noqa: F401

    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message()
        if "Usage:" in message:  # no verb was given: the help itself
            print(message)
            sys.exit(2)
        _fail(" ".join(message.split()), error.exit_code)
    except GpatlasError as error:
        _fail(str(error), 2)
    except MemoryError:
        _fail(_OUT_OF_MEMORY, 2)
    except RuntimeError as error:
        if "allocate memory" not in str(error):  # torch's MemoryError on a CPU
            raise
        _fail(_OUT_OF_MEMORY, 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; run the same command again to go on", 130)
    except BrokenPipeError:  # the reader of our output (`| head`) left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code or 0)


def _fail(message: str, code: int) -> NoReturn:
    print(f"gpatlas: error: {message}", file=sys.stderr)
    sys.exit(code)
