import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from treaty_clauses.card import END, START
from treaty_clauses.cli import app
from treaty_clauses.io import parse_record, record_to_json
from treaty_clauses.training.gold import GoldArticle

RUNNER = CliRunner()


@pytest.fixture
def files(tmp_path: Path, gold: GoldArticle) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "harbor.txt").write_bytes(gold.article.text.encode("utf-8"))
    (tmp_path / "gold.jsonl").write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [["label-studio"], ["doccano"], ["doccano", "--code-points"], ["docbin"]],
    ids=lambda options: " ".join(options),
)
def test_export_then_import_gives_the_gold(files: Path, gold: GoldArticle, options: list[str]) -> None:
    gold_path, tool_path = str(files / "gold.jsonl"), str(files / "tool")
    command = ["annotate", "export", gold_path, tool_path, "--texts", str(files / "texts"), "--format", *options]
    done = RUNNER.invoke(app, command)
    assert (done.exit_code, done.stdout) == (0, "")
    command = ["annotate", "import", tool_path, "--articles", str(files / "a.jsonl"), "--format", *options]
    done = RUNNER.invoke(app, command)
    assert done.exit_code == 0
    assert parse_record(done.stdout, where="x") == gold.record
    assert json.loads((files / "a.jsonl").read_text("utf-8")) == {"id": "harbor", "text": gold.article.text}


def test_export_writes_the_labeling_interface(files: Path) -> None:
    command = ["annotate", "export", str(files / "gold.jsonl"), str(files / "t.json"), "--texts", str(files / "texts")]
    done = RUNNER.invoke(app, [*command, "--format", "label-studio", "--config", str(files / "view.xml")])
    assert done.exit_code == 0
    assert (files / "view.xml").read_text("utf-8").startswith("<View>")


@pytest.mark.parametrize("tool", ["label-studio", "doccano", "docbin"])
def test_a_file_that_is_no_export_is_refused(files: Path, tool: str) -> None:
    (files / "bad").write_bytes(b"{\xff")
    done = RUNNER.invoke(app, ["annotate", "import", str(files / "bad"), "--format", tool])
    assert done.exit_code == 1
    assert "bad" in done.stderr
    assert done.stdout == ""


def test_a_missing_text_is_named(files: Path) -> None:
    (files / "texts" / "harbor.txt").rename(files / "texts" / "other.txt")
    command = ["annotate", "export", str(files / "gold.jsonl"), str(files / "t"), "--texts", str(files / "texts")]
    done = RUNNER.invoke(app, [*command, "--format", "doccano"])
    assert done.exit_code == 1
    assert "harbor" in done.stderr


def test_statistics_write_card_plots_and_checksums(tmp_path: Path, gold: GoldArticle) -> None:
    annotations, corpus = tmp_path / "annotations", tmp_path / "corpus"
    (annotations / "real").mkdir(parents=True)
    corpus.mkdir()
    for folder in (annotations, annotations / "real", corpus):
        for split in ("train", "dev", "test"):
            (folder / f"{split}.jsonl").write_text("", encoding="utf-8")
    (annotations / "dev.jsonl").write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    (corpus / "README.md").write_text(f"{START}\n{END}\n", encoding="utf-8")
    done = RUNNER.invoke(app, ["annotate", "statistics", str(annotations), str(corpus)])
    assert done.exit_code == 0
    assert "| election | 0 | 1 | 0 | 1 |" in (corpus / "README.md").read_text("utf-8")
    assert (corpus / "plots" / "years.svg").exists()
    assert (annotations / "SHA256SUMS").read_text("utf-8").count("\n") == 6
    (corpus / "README.md").write_text("no markers", encoding="utf-8")
    assert RUNNER.invoke(app, ["annotate", "statistics", str(annotations), str(corpus)]).exit_code == 1


def test_agreement_prints_a_table_and_writes_every_figure(files: Path) -> None:
    gold = str(files / "gold.jsonl")
    command = ["annotate", "agreement", "--first", gold, "--second", gold, "--resamples", "10"]
    done = RUNNER.invoke(app, [*command, "--output", str(files / "agreement.json")])
    assert done.exit_code == 0
    assert "| record | 1.000 | 1.000 |" in done.stdout
    written = json.loads((files / "agreement.json").read_text("utf-8"))
    assert set(written) == {"about", "articles", "text_changed", "second_only", "all", "written"}
    assert RUNNER.invoke(app, [*command[:-4], "--second", str(files / "none.jsonl")]).exit_code == 1


@pytest.mark.parametrize("form", ["markdown", "table", "json"])
def test_evaluate_writes_the_page_of_errors(files: Path, gold: GoldArticle, form: str) -> None:
    empty = gold.record.model_copy(update={"actors": (), "proposals": ()})
    (files / "predicted.jsonl").write_text(record_to_json(empty) + "\n", encoding="utf-8")
    command = ["evaluate", str(files / "gold.jsonl"), str(files / "predicted.jsonl"), "--resamples", "0"]
    done = RUNNER.invoke(app, [*command, "--errors", str(files / "errors.html"), "--format", form])
    assert done.exit_code == 0
    assert ("clause missed" in done.stdout) == (form != "json")
    assert "西礁軍隊撤出沙門灣" in (files / "errors.html").read_text("utf-8")
    if form == "json":
        json.loads(done.stdout)
    done = RUNNER.invoke(app, [*command, "--errors", str(files / "none" / "errors.html")])
    assert done.exit_code == 1


def test_check_takes_exceptions(tmp_path: Path, harbor_yaml: Path) -> None:
    source = harbor_yaml.read_text("utf-8").replace("value: 12000,", "value: 1200,")
    (tmp_path / "harbor.yaml").write_text(source, encoding="utf-8")
    (tmp_path / "harbor.txt").write_bytes(harbor_yaml.with_suffix(".txt").read_bytes())
    listed = tmp_path / "exceptions.toml"
    listed.write_text('[[exception]]\narticle = "harbor"\nquotes = ["不得超過1.2萬人"]\nreason = "a test"\n', "utf-8")
    command = ["annotate", "check", str(tmp_path / "harbor.yaml")]
    assert RUNNER.invoke(app, command).exit_code == 1
    assert RUNNER.invoke(app, [*command, "--exceptions", str(listed)]).exit_code == 0
    listed.write_text('[[exception]]\narticle = "harbor"\nquotes = ["1"]\nreason = " "\n', "utf-8")
    done = RUNNER.invoke(app, [*command, "--exceptions", str(listed)])
    assert done.exit_code == 1
    assert "a `reason`" in done.stderr
