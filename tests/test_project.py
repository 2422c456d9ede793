"""The project's own rules: style, notebooks, size of files, and files that speak of the project alone."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", *command], cwd=REPOSITORY, capture_output=True, text=True)


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_style(command):
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_snakefiles_are_formatted():
    done = run("snakefmt", "--check", "workflow", "workflow_sims")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", ["run_snakemake_pipeline.sh", "run_pipeline.sh", "run_tests.sh", "envs/activate.sh", ".ci/run"]
)
def test_shell_scripts_parse(script):
    subprocess.run(["bash", "-n", script], cwd=REPOSITORY, check=True)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_thin(notebook):
    """No stored outputs, no functions: load a table, call a plotting function, show, save."""
    cells = json.loads(notebook.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") for cell in cells)
    own = 1 if notebook.name == "add_a_prior.ipynb" else 0  # the class that it is about
    assert sum(bool(re.search(r"^\s*(def|class) ", source, flags=re.MULTILINE)) for source in code) == own
    assert any("parameters" in cell["metadata"].get("tags", []) for cell in cells)
    imports = re.findall(r"^(?:from|import) (\w+)", "\n".join(code), flags=re.MULTILINE)
    assert set(imports) <= {"pandas", "gpatlas"}


def test_rules_call_verbs_and_nothing_else():
    for path in [*REPOSITORY.glob("workflow*/**/*.smk"), REPOSITORY / "workflow/Snakefile"]:
        assert not re.search(r"^\s+(run|script):", path.read_text(), flags=re.MULTILINE), path


def tracked() -> list[str]:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    return subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[:-1]


def test_source_files_are_small():
    long = {
        name: n
        for name in tracked()
        if name.startswith("src/")
        and name.endswith(".py")
        and (n := len((REPOSITORY / name).read_text().splitlines())) > 350
    }
    assert not long


def test_files_name_no_machine():
    pattern = re.compile(r"/root/|/home/\w|/Users/\w|/work/|/tmp/|(?:10|192\.168)\.\d+\.\d+\.\d+")
    for name in tracked():
        if name.endswith((".gz", ".png")) or name == "tests/test_project.py":
            continue
        found = pattern.search((REPOSITORY / name).read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found.group()}"


def test_the_readme_lists_every_verb():
    readme = (REPOSITORY / "README.md").read_text()
    shown = subprocess.run([sys.executable, "-m", "gpatlas", "--help"], capture_output=True, text=True).stdout
    verbs = re.findall(r"^  ([\w-]+)  ", shown.split("Commands:")[1], flags=re.MULTILINE)
    assert len(verbs) >= 9
    assert [verb for verb in verbs if f"gpatlas {verb}" not in readme] == []
