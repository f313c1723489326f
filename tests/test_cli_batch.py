import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from batching import rows
from standin import Standin, make_text
from treaty_clauses.batch import session
from treaty_clauses.batch.engines import LocalExtraction, LocalReading
from treaty_clauses.cli import app
from treaty_clauses.store import Store

ROOT = Path(__file__).parents[1]


def call(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def message(result: Result) -> str:
    return " ".join(result.stderr.split())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and extraction stay in this process, with the quick extractor."""
    monkeypatch.setattr(session, "ProcessReading", LocalReading)
    monkeypatch.setattr(session, "ProcessExtraction", lambda *_: LocalExtraction(Standin()))


@pytest.fixture
def news(tmp_path: Path) -> Path:
    (tmp_path / "news").mkdir()
    for number in range(5):
        (tmp_path / "news" / f"{number}.txt").write_text(make_text(number), encoding="utf-8")
    return tmp_path / "news"


@pytest.mark.usefixtures("quick")
class TestBatch:
    def test_sources_fill_a_store_and_a_summary_is_printed(self, news: Path, tmp_path: Path) -> None:
        path = tmp_path / "a.duckdb"
        result = call("batch", news, "--store", path, "--published", "2025-11-24", "--log", tmp_path / "log")
        assert (result.exit_code, result.stdout) == (0, "")
        assert message(result) == "5 items, 5 articles"
        with Store(path, read_only=True) as store:
            assert rows(store, "SELECT DISTINCT published FROM articles") == [{"published": "2025-11-24"}]
        assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["event"] == "run_ended"
        assert message(call("batch", news, "--store", path)) == "5 items, 0 articles, 5 done before"

    def test_what_is_lost_sets_the_exit_code(self, news: Path, tmp_path: Path) -> None:
        (news / "x.txt").write_text("")
        result = call("batch", news, tmp_path / "no.txt", "--store", tmp_path / "a.duckdb")
        assert result.exit_code == 1
        assert message(result) == "6 items, 5 articles, 2 lost (empty 1, missing 1)"

    def test_limits_are_options(self, news: Path, tmp_path: Path) -> None:
        result = call("batch", news, "--store", tmp_path / "a.duckdb", "--max-chars", 10)
        assert message(result) == "5 items, 0 articles, 5 lost (too_long 5)"
        result = call("batch", "--retry-failed", "--store", tmp_path / "a.duckdb")
        assert (result.exit_code, message(result)) == (0, "5 items, 5 articles")

    def test_sources_may_stand_in_a_file(self, news: Path, tmp_path: Path) -> None:
        (tmp_path / "list").write_text(f"# all\n{news}/0.txt\n\n {news}/1.txt\n")
        assert (
            message(call("batch", "--from", tmp_path / "list", "--store", tmp_path / "a.duckdb"))
            == "2 items, 2 articles"
        )
        result = call("batch", "--from", tmp_path / "none", "--store", tmp_path / "a.duckdb")
        assert (result.exit_code, "cannot read the list of sources" in message(result)) == (1, True)

    @pytest.mark.parametrize(
        "arguments", [["batch"], ["batch", "x", "--engine", "ray", "--watch"], ["batch", "x", "--max-chars", "0"]]
    )
    def test_wrong_usage_has_exit_code_2(self, arguments: list[str]) -> None:
        assert call(*arguments).exit_code == 2

    def test_a_run_on_ray_that_is_interrupted_says_how_to_go_on(
        self, news: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("treaty_clauses.batch.cluster.run_on_ray", interrupted)
        result = call("batch", news, "--engine", "ray", "--store", tmp_path / "a.duckdb")
        assert result.exit_code == 130
        assert message(result) == f"stopped; the same command goes on from what is in {tmp_path}/a.duckdb.parts"

    def test_a_private_address_is_refused_unless_allowed(self, tmp_path: Path) -> None:
        result = call("batch", "http://127.0.0.1:9/", "--store", tmp_path / "a.duckdb")
        assert (result.exit_code, message(result)) == (1, "0 items, 0 articles, 1 lost (address 1)")
        call("batch", "http://127.0.0.1:9/", "--store", tmp_path / "a.duckdb", "--allow-private")
        with Store(tmp_path / "a.duckdb") as store:
            assert rows(store, "SELECT fault, attempts FROM dead_letters") == [{"fault": "connection", "attempts": 2}]

    def test_a_store_that_cannot_be_opened_is_named(self, news: Path, tmp_path: Path) -> None:
        (tmp_path / "a.duckdb").write_text("no database")
        result = call("batch", news, "--store", tmp_path / "a.duckdb")
        assert (result.exit_code, "cannot be opened as a store" in message(result)) == (1, True)


@pytest.mark.usefixtures("quick")
class TestStore:
    @pytest.fixture
    def store(self, news: Path, tmp_path: Path) -> Path:
        call("batch", news, "--store", tmp_path / "a.duckdb")
        return tmp_path / "a.duckdb"

    @pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
    def test_export_writes_files_and_names_them(self, store: Path, tmp_path: Path, form: str) -> None:
        result = call("store", "export", store, tmp_path / "out", "--format", form)
        assert result.exit_code == 0
        files = result.stdout.splitlines()
        assert files
        assert all(Path(name).stat().st_size for name in files)
        assert all(name.endswith(form) for name in files)

    def test_query_prints_a_view_or_sql(self, store: Path) -> None:
        result = call("store", "query", store, "troop_caps", "--format", "jsonl")
        assert [json.loads(line)["comparator"] for line in result.stdout.splitlines()] == ["le"] * 5
        result = call("store", "query", store, "SELECT '=1' AS a, '[b]' AS b", "--format", "csv")
        assert result.stdout == "a,b\n'=1,[b]\n"
        assert "[b]" in call("store", "query", store, "SELECT '[b]' AS c").stdout

    def test_a_row_that_is_too_wide_for_the_screen_is_printed_a_column_a_line(self, store: Path) -> None:
        lines = [line.split() for line in call("store", "query", store, "troop_caps").stdout.splitlines()]
        assert len([line for line in lines if line[:1] == ["bearers"]]) == 5
        assert ["comparator", "le"] in lines
        assert {len(line[1]) for line in lines if line[:1] == ["article_id"]} == {32}
        assert call("store", "query", store, "SELECT * FROM troop_caps LIMIT 0").stdout == ""

    @pytest.mark.parametrize(
        "statement", ["SELEC 1", "SELECT * FROM read_text('/etc/hostname')", "DROP TABLE articles"]
    )
    def test_a_query_that_is_wrong_or_reaches_out_is_refused(self, store: Path, statement: str) -> None:
        result = call("store", "query", store, statement)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Error" in message(result)

    def test_a_store_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        assert call("store", "query", tmp_path / "none.duckdb", "runs").exit_code == 1
        assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize("command", [["batch"], ["store", "export"], ["store", "query"]], ids=" ".join)
def test_help_explains_with_an_example(command: list[str]) -> None:
    result = call(*command, "--help")
    assert "Example" in result.stdout
    assert f"treaty-clauses {' '.join(command)}" in " ".join(result.stdout.split())


def test_without_the_extra_the_remedy_is_named(news: Path, tmp_path: Path) -> None:
    """In a process where duckdb cannot be imported."""
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from treaty_clauses.cli import app; app(['batch', 'x', '--store', 'y'], prog_name='treaty-clauses')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "pipeline")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 1
    assert "pip install 'treaty-clauses[batch]'" in " ".join(done.stderr.split())


OPERATORS = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
class TestOperatorsPage:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Path:
        """Three days of articles on two plans, some of them copies, some broken."""
        lines = []
        for number in range(60):
            text = make_text(number if number % 3 else 3, sentences=6) + (
                "（續）" if number % 3 == 0 and number > 30 else ""
            )
            row = {
                "text": text,
                "published": f"2025-11-{20 + number % 5}",
                "source": f"第{number % 4}報",
                "title": f"停火{number}",
            }
            lines.append(json.dumps(row))
        (tmp_path / "a.jsonl").write_text("\n".join([*lines, '{"text": ""}']) + "\n")
        call("batch", tmp_path / "a.jsonl", tmp_path / "gone.txt", "--store", tmp_path / "records.duckdb")
        return tmp_path / "records.duckdb"

    @pytest.mark.parametrize(
        "query", re.findall(r"```sql\n(.*?)```", OPERATORS, re.DOTALL), ids=lambda q: q.splitlines()[0][3:50]
    )
    def test_each_query_answers(self, store: Path, query: str) -> None:
        with Store(store, read_only=True) as opened:
            opened.lock_down()
            assert rows(opened, query), query

    def test_the_python_example_runs_as_it_is_printed(
        self, news: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        news.rename(tmp_path / "archive")
        monkeypatch.chdir(tmp_path)
        names: dict[str, object] = {}
        exec(OPERATORS.split("## From Python")[1].split("```python\n")[1].split("```")[0], names)
        assert len(names["caps"]) == 5  # type: ignore[arg-type]
        assert (tmp_path / "out" / "articles.csv").exists()

    def test_there_are_five_questions(self) -> None:
        assert len(re.findall(r"```sql\n-- ", OPERATORS)) >= 5

    def test_each_option_table_and_view_is_on_the_page(self) -> None:
        from treaty_clauses.store import TABLES, VIEWS

        for table in TABLES:
            assert f"`{table.name}`" in OPERATORS, table.name
        for name in VIEWS:
            assert f"`{name}`" in OPERATORS, name
        help_text = call("batch", "--help").stdout
        for option in sorted(set(re.findall(r"--[a-z][a-z-]+", help_text)) - {"--help"}):
            assert option in OPERATORS, option
