import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from treaty_clauses import extract as extract_module
from treaty_clauses.cli import app
from treaty_clauses.extract import Extractor
from treaty_clauses.io import parse_record, record_to_json
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import ArticleRecord

RUN = [sys.executable, "-c", "from treaty_clauses.cli import app; app(prog_name='treaty-clauses')"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, extractor: Extractor) -> None:
    """The default model is the tiny one, already loaded."""
    monkeypatch.setattr(extract_module, "load", lambda *_, **__: extractor)


@pytest.fixture
def article(tmp_path: Path, harbor_yaml: Path) -> Path:
    return Path(shutil.copy(harbor_yaml.with_suffix(".txt"), tmp_path))


def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def records(result: Result) -> list[ArticleRecord]:
    """The records on stdout, which holds nothing else."""
    lines = result.stdout.split("\n")
    assert lines.pop() == ""
    return [parse_record(line, where="stdout") for line in lines]


def message(result: Result) -> str:
    """What stderr says, as one line."""
    return " ".join(result.stderr.split())


def extracted(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return call("extract", *arguments, "--format", "jsonl", stdin=stdin)


@pytest.mark.usefixtures("tiny")
class TestExtract:
    def test_a_file_gives_one_record_a_line_and_nothing_else(self, article: Path, gold: GoldArticle) -> None:
        result = extracted(article, "--published", "2026-01-13")
        (record,) = records(result)
        assert (result.exit_code, result.stderr) == (0, "")
        assert record.article == gold.record.article
        assert [p.name for p in record.proposals] == ["沙門灣六點方案", None]

    def test_a_table_is_printed_for_reading(self, article: Path) -> None:
        result = call("extract", article)
        assert result.exit_code == 0
        assert "沙門灣六點方案" in result.stdout
        assert "force_limits" in "".join(result.stdout.split()) or "force" in result.stdout

    def test_standard_input_may_be_a_text(self, harbor_text: str, extractor: Extractor) -> None:
        result = extracted("-", "--published", "2026-01-13", stdin=harbor_text)
        (record,) = records(result)
        assert record == extractor.extract(harbor_text, published="2026-01-13", article_id="stdin")

    def test_standard_input_may_be_lines(self) -> None:
        lines = '{"id": "1", "text": "甲", "published": "2025-01-01"}\n\n{"id": "2", "text": "乙"}\n'
        found = records(extracted("-", "--published", "2026-01-13", stdin=lines))
        assert [(r.article.id, r.article.published) for r in found] == [("1", "2025-01-01"), ("2", "2026-01-13")]

    def test_files_directories_and_lines_together_keep_their_order(self, tmp_path: Path, article: Path) -> None:
        (tmp_path / "feed").mkdir()
        (tmp_path / "feed" / "b.txt").write_text("乙", encoding="utf-8")
        (tmp_path / "feed" / "a.jsonl").write_text('{"id": "one", "text": "甲"}\n', encoding="utf-8")
        result = extracted(tmp_path / "feed", article, tmp_path / "feed" / "b.txt")
        assert [r.article.id for r in records(result)] == ["one", "b", "harbor", "b"]
        assert result.exit_code == 0

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("a.txt", b"", ["a.txt: the article is empty", "give it a text"]),
            ("a.txt", "兩國同意停火".encode("big5"), ["a.txt: not UTF-8", "iconv"]),
            ("a.txt", b"<!DOCTYPE html><html></html>", ["a.txt: this is an HTML page", "extract its main text"]),
            ("a.jsonl", b'{"text": "x"}\n{"text": "y', ["a.jsonl:2: not a whole JSON object", "one object with"]),
            ("a.jsonl", b'{"id": 3}', ["a.jsonl:1: expected a JSON object with a string `text`"]),
            ("a.jsonl", b'{"text": "x", "published": "May 1"}', ["a.jsonl:1: 'May 1' is no date", "YYYY-MM-DD"]),
            ("a.jsonl", b'{"text": ""}', ["a.jsonl:1: the article is empty", "give it a text"]),
            ("a.jsonl", '{"text": "停火"}'.encode("big5"), ["a.jsonl:1: not a whole JSON object"]),
            (None, b"", ["a.txt: there is no such file", "check the path"]),
        ],
        ids=["empty", "big5", "html", "half a line", "no text", "date", "empty line", "big5 line", "missing"],
    )
    def test_bad_input_is_named_and_the_rest_goes_on(
        self, tmp_path: Path, article: Path, name: str | None, content: bytes, expected: list[str]
    ) -> None:
        bad = tmp_path / (name or "a.txt")
        if name:
            bad.write_bytes(content)
        result = extracted(bad, article)
        assert result.exit_code == 1
        assert records(result)[-1].article.id == "harbor"
        assert str(tmp_path) in message(result)
        for part in expected:
            assert part in message(result), message(result)

    def test_an_empty_article_still_gives_its_record(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("\n", encoding="utf-8")
        (record,) = records(extracted(tmp_path / "a.txt"))
        assert record.warnings == ("the article is empty",)

    def test_an_empty_standard_input_is_named(self) -> None:
        result = extracted("-", stdin="")
        assert result.exit_code == 1
        assert "stdin: the article is empty" in message(result)

    @pytest.mark.parametrize("output", ["jsonl", "table"])
    def test_odd_characters_are_printed_as_valid_utf8(self, tmp_path: Path, gold: GoldArticle, output: str) -> None:
        text = "\ud800\0" + gold.article.text.replace("沙門灣六點方案", "沙門灣六點\ud800方案") + "\x1b[31m[/red]"
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"id": "\ud800[/b]", "text": text}), encoding="utf-8")
        result = call("extract", path, "--format", output)
        assert result.exit_code == 0, result.stderr
        result.stdout_bytes.decode("utf-8")
        if output == "jsonl":
            assert records(result)[0].article.length == len(text)

    def test_an_unknown_date_is_refused_with_its_form(self, article: Path) -> None:
        result = extracted(article, "--published", "24.11.2025")
        assert result.exit_code == 1
        assert "--published: '24.11.2025' is no date; write it as YYYY-MM-DD" in message(result)
        assert result.stdout == ""

    def test_many_bad_inputs_are_all_named(self, tmp_path: Path) -> None:
        result = extracted(tmp_path / "a.txt", tmp_path / "b.txt")
        assert result.exit_code == 1
        assert "a.txt" in message(result)
        assert "b.txt" in message(result)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_damaged_model_folder_is_named_with_the_remedy(
    tmp_path: Path, article: Path, model_folder: Path, damage: str
) -> None:
    folder = tmp_path / "model"
    if damage == "cut":
        shutil.copytree(model_folder, folder)
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:99])
    result = extracted(article, "--model", folder)
    assert result.exit_code == 1
    assert str(folder) in message(result)
    assert "restore the folder" in message(result)
    assert result.stdout == ""


def test_as_a_program_only_records_are_on_stdout(article: Path, model_folder: Path, tmp_path: Path) -> None:
    arguments = ["extract", tmp_path / "no.txt", article, "--model", model_folder, "--format", "jsonl"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([*RUN, *map(str, arguments)], capture_output=True, env=environment, check=False)
    assert done.returncode == 1
    (line,) = done.stdout.decode("utf-8").splitlines()
    assert parse_record(line, where="stdout").article.id == "harbor"
    assert "there is no such file" in done.stderr.decode("utf-8")
    assert "Traceback" not in done.stderr.decode("utf-8")


@pytest.mark.parametrize("arguments", [["extract"], ["extract", "a.txt", "--format", "xml"], ["unknown"]])
def test_wrong_usage_has_exit_code_2(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


COMMANDS = [
    ["extract"],
    ["evaluate"],
    ["train"],
    ["pretrain"],
    ["vectors"],
    ["export"],
    ["batch"],
    ["store", "export"],
    ["store", "query"],
    ["annotate", "check"],
    ["annotate", "build"],
    ["annotate", "export"],
    ["annotate", "import"],
    ["annotate", "statistics"],
    ["annotate", "agreement"],
    ["schema"],
    ["quantities"],
    ["actors"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_explains_with_an_example(command: list[str]) -> None:
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"treaty-clauses {' '.join(command)}" in " ".join(result.stdout.split())


def test_the_list_of_commands_here_is_whole() -> None:
    import typer.main

    group = typer.main.get_command(app)
    names = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        names |= {f"{name} {sub}" for sub in command.commands} if hasattr(command, "commands") else {name}
    assert names == {" ".join(command) for command in COMMANDS}


@pytest.fixture
def gold_file(tmp_path: Path, gold: GoldArticle) -> Path:
    path = tmp_path / "gold.jsonl"
    path.write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("output", ["table", "markdown", "json"])
def test_evaluate_prints_every_figure(gold_file: Path, output: str) -> None:
    result = call("evaluate", gold_file, gold_file, "--format", output, "--resamples", "20")
    assert result.exit_code == 0, result.stderr
    assert "record" in result.stdout.lower()
    if output == "json":
        assert json.loads(result.stdout)


def test_evaluate_holds_floors(gold_file: Path, tmp_path: Path) -> None:
    report = json.loads(call("evaluate", gold_file, gold_file, "--format", "json", "--resamples", "0").stdout)
    digest = report["conditions"]["gold_sha256"]
    floors = tmp_path / "floors.json"
    predicted = tmp_path / "predicted.jsonl"
    empty = json.loads(gold_file.read_text("utf-8")) | {"proposals": []}
    predicted.write_text(json.dumps(empty) + "\n", encoding="utf-8")
    floors.write_text(json.dumps({"gold_sha256": digest, "floors": {"record.f1": 0.9}}), encoding="utf-8")
    good = call("evaluate", gold_file, gold_file, "--floors", floors, "--resamples", "0")
    bad = call("evaluate", gold_file, predicted, "--floors", floors, "--resamples", "0")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "record.f1 is 0.0000, its floor is 0.9000" in message(bad)


def test_evaluate_names_a_file_that_is_not_there(gold_file: Path, tmp_path: Path) -> None:
    result = call("evaluate", gold_file, tmp_path / "no.jsonl")
    assert result.exit_code == 1
    assert "no.jsonl" in message(result)


def test_schema_prints_the_schema_and_the_crosswalk() -> None:
    assert json.loads(call("schema").stdout)["title"] == "ArticleRecord"
    lines = call("schema", "--crosswalk").stdout.splitlines()
    assert lines[0] == "type\tpa_x\tplover"
    assert lines[1].startswith("ceasefire\tCe CeProv")
    assert len(lines) == 29


@pytest.fixture
def annotations(tmp_path: Path, harbor_yaml: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for suffix in (".yaml", ".txt"):
        shutil.copy(harbor_yaml.with_suffix(suffix), folder)
    return folder


def test_annotate_check_is_silent_when_all_is_well(annotations: Path) -> None:
    result = call("annotate", "check", annotations)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 annotations, 0 problems" in message(result)


def test_annotate_check_reports_every_mistake_with_file_and_line(annotations: Path) -> None:
    path = annotations / "harbor.yaml"
    text = path.read_text("utf-8").replace("type: trade", "type: tariff").replace("撤出沙門灣,", "撤出某灣,")
    path.write_text(text, encoding="utf-8")
    result = call("annotate", "check", annotations)
    assert result.exit_code == 1
    assert f"{path}:14: quote '西礁軍隊撤出某灣' is not in the text" in result.stdout
    assert f"{path}:16: clause 4: type 'tariff'" in result.stdout


def test_annotate_build_writes_gold_and_corpus(annotations: Path, tmp_path: Path, gold: GoldArticle) -> None:
    splits = tmp_path / "splits.toml"
    splits.write_text('dev = []\ntest = ["reefs"]\n', encoding="utf-8")
    where = ["--splits", splits, "--annotations", tmp_path / "gold", "--corpus", tmp_path / "corpus"]
    result = call("annotate", "build", annotations, *where)
    assert result.exit_code == 0, result.stderr
    assert "train 0 dev 0 test 1" in message(result)
    assert (tmp_path / "gold" / "test.jsonl").read_text("utf-8") == record_to_json(gold.record) + "\n"


def test_annotate_build_writes_nothing_when_there_is_a_mistake(annotations: Path, tmp_path: Path) -> None:
    path = annotations / "harbor.yaml"
    path.write_text(path.read_text("utf-8").replace("type: trade", "type: tariff"), encoding="utf-8")
    splits = tmp_path / "splits.toml"
    splits.write_text("dev = []\ntest = []\n", encoding="utf-8")
    result = call("annotate", "build", annotations, "--splits", splits, "--annotations", tmp_path / "gold")
    assert result.exit_code == 1
    assert "tariff" in message(result)
    assert not (tmp_path / "gold").exists()


def test_annotate_names_a_path_that_is_not_there(tmp_path: Path) -> None:
    result = call("annotate", "check", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "nowhere: there is no such file" in message(result)


def test_quantities_answers_line_by_line() -> None:
    lines = [
        '{"id": "1", "text": "簽署後100天內撤軍", "reference_date": "2025-11-24"}',
        '{"id": "2", "te',
        '{"id": "3\\ud800", "text": "8.5萬人"}',
    ]
    result = call("quantities", stdin="\n".join(lines) + "\n")
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first["terms"]
    assert "error" in second
    assert third["id"] == "3\ud800"
    assert result.exit_code == 1
    assert "some lines could not be read" in message(result)


def test_quantities_of_other_bytes_is_an_error_line() -> None:
    lines = '{"id": "1", "text": "停火10天"}\n'.encode("big5") + '{"id": "2", "text": "停火10天"}\n'.encode()
    result = call("quantities", stdin=lines)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == 2
    assert answers[1]["terms"]


def test_actors_links_names() -> None:
    result = call("actors", stdin='{"id": "1", "text": "烏克蘭與俄羅斯同意停火"}\n')
    (answer,) = (json.loads(line) for line in result.stdout.splitlines())
    assert [actor["wikidata"] for actor in answer["actors"]] == ["Q212", "Q159"]
    assert result.exit_code == 0


def test_actors_names_a_bad_line() -> None:
    result = call("actors", stdin='{"id": "1", "text": "烏克蘭"}\n{"id"\n')
    assert result.exit_code == 1
    assert "line 2" in message(result) or "line 2" in result.stdout
    assert "Q212" in result.stdout


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_a_recipe_with_an_unknown_key_is_refused(tmp_path: Path, command: str) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("speed = 3\n", encoding="utf-8")
    result = call(command, recipe, "--output", tmp_path / "run")
    assert result.exit_code == 1
    assert "recipe.toml: unknown key 'speed'" in message(result)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_a_missing_recipe_is_named(tmp_path: Path, command: str) -> None:
    result = call(command, tmp_path / "no.toml")
    assert result.exit_code == 1
    assert "no.toml: cannot read the recipe" in message(result)
