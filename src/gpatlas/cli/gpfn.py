"""`gpatlas gpfn`: prior-data fitted networks, from draws of a prior to predictions."""

import typer

from gpatlas.cli import app

gpfn = typer.Typer(help="Networks trained on simulated populations.", no_args_is_help=True)
app.add_typer(gpfn, name="gpfn")

# they register themselves, in the order in which they are used
from gpatlas.cli import gpfn_draw, gpfn_train  # noqa: E402, F401, I001
from gpatlas.cli import gpfn_predict  # noqa: E402, F401
