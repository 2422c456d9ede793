"""`python -m gpatlas` is `gpatlas`."""

from gpatlas.cli import main

main()
