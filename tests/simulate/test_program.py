"""The breeding program in the package's docstring runs as it stands."""

import inspect
import re
import textwrap

import numpy as np

import gpatlas.simulate
from gpatlas.io import read_dataset


def test_the_program_in_the_docstring(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(gpatlas.simulate)
    code = textwrap.dedent("\n".join(re.findall(r"^(?: {4}.*)?$", text, flags=re.M)))
    exec(compile(code, "docstring", "exec"), {})
    means = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(means) == 5
    assert np.all(np.diff(means[1:]) > 0)
    assert means[-1] > means[0] + 1.0  # standard deviations of the founders
    data = read_dataset(tmp_path / "lines.h5")
    assert (data.n_samples, data.n_loci, data.provenance["population"]["hidden_qtl"]) == (200, 1000, 200)
