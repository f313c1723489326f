import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import treaty_clauses
from treaty_clauses.cli import app

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(treaty_clauses.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 420
HEAVY = ("torch", "spacy", "transformers", "datasets", "jieba", "scipy")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize(
    "statement",
    ["import treaty_clauses", "import treaty_clauses.cli", "import treaty_clauses.evaluate, treaty_clauses.annotate"],
    ids=["package", "command line", "evaluation"],
)
def test_importing_it_loads_no_heavy_library(statement: str) -> None:
    heavy = HEAVY if "evaluate" not in statement else HEAVY[:4]  # the scorer matches with scipy
    code = f"import sys\n{statement}\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_source_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_examples_in_docstrings_hold(path: Path) -> None:
    if ">>>" not in path.read_text(encoding="utf-8"):
        return
    module = importlib.import_module(module_name(path))
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def commands() -> list[str]:
    group = typer.main.get_command(app)
    names = []
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        names += [f"{name} {sub}" for sub in sorted(command.commands)] if hasattr(command, "commands") else [name]
    return names


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"treaty-clauses {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(treaty_clauses.__all__))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(treaty_clauses, name).__doc__


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_every_data_file_says_where_it_is_from() -> None:
    tables = [path for path in (PACKAGE / "data").rglob("*") if path.suffix in (".tsv", ".txt", ".toml")]
    assert tables
    for path in tables:
        assert path.read_text(encoding="utf-8").startswith("#"), path.name
