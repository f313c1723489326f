import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from treaty_clauses.cli import app
from treaty_clauses.cli_extras import ExtrasGroup
from treaty_clauses.io import record_to_json
from treaty_clauses.manifest import MANIFEST, check_manifest
from treaty_clauses.training import parity
from treaty_clauses.training.gold import GoldArticle

pytest.importorskip("openvino")


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "tagger"))


@pytest.fixture
def arguments(folder: Path, tmp_path: Path, gold: GoldArticle) -> list[str]:
    """The command's arguments for a corpus of one article."""
    line = json.dumps({"id": gold.article.id, "text": gold.article.text, "published": "2026-01-13"}, ensure_ascii=False)
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.jsonl").write_text(line + "\n", encoding="utf-8")
    (tmp_path / "gold.jsonl").write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    return ["export", str(folder), "--corpus", str(tmp_path), "--gold", str(tmp_path / "gold.jsonl")]


def test_export_writes_graphs_and_says_how_closely_they_agree(folder: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "labels in common 1.0000 on 2 articles" in result.stdout
    manifest = check_manifest(folder)
    assert (manifest.precision, manifest.checked["articles"]) == ("int8", 2)


def test_graphs_that_read_otherwise_are_an_error_and_taken_out_of_use(
    folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "LEAST_AGREEMENT", 1.1)
    result = CliRunner().invoke(app, [*arguments, "--precision", "half"])
    assert result.exit_code == 1
    assert "do not read as the torch backend does: labels in common 1.0000" in result.stderr
    assert not (folder / MANIFEST).exists()


def test_a_corpus_that_cannot_be_read_is_an_error(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(folder), "--corpus", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "there is no such file" in result.stderr


@pytest.mark.parametrize(("module", "extra"), [("torch", "train"), ("spacy", "spacy"), ("gensim", "vectors")])
def test_a_command_without_its_packages_names_the_extra(module: str, extra: str) -> None:
    commands = typer.Typer(cls=ExtrasGroup)

    @commands.command()
    def first() -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    @commands.command()
    def second() -> None:
        raise ModuleNotFoundError("No module named 'own'", name="own")

    result = CliRunner().invoke(commands, ["first"])
    assert result.exit_code == 1
    assert f"this command needs {module}: run pip install 'treaty-clauses[{extra}]'" in result.stderr
    assert isinstance(CliRunner().invoke(commands, ["second"]).exception, ModuleNotFoundError)
