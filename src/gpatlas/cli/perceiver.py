"""`gpatlas perceiver`: networks that learn from all genotypes, and then from the few that have phenotypes."""

import typer

from gpatlas.cli import app

perceiver = typer.Typer(help="Networks pretrained on genotypes, finetuned on traits.", no_args_is_help=True)
app.add_typer(perceiver, name="perceiver")

# they register themselves, in the order in which they are used
from gpatlas.cli import perceiver_pretrain  # noqa: E402, F401, I001
from gpatlas.cli import perceiver_finetune  # noqa: E402, F401
