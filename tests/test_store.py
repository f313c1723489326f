import csv
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batching import everything, process, rows
from standin import make_text
from treaty_clauses.duplicates import signature
from treaty_clauses.io import read_records, record_to_json
from treaty_clauses.items import Fault, FeedState, Form, Found, Hints, Item, Lost, Problem, SourceRead, content_id
from treaty_clauses.labels import TermRole
from treaty_clauses.store import SCHEMA_VERSION, TABLES, VIEWS, ExportFormat, Extracted, Store, StoreError, export
from treaty_clauses.store.export import defuse
from treaty_clauses.store.rows import arrow_table, record_rows
from treaty_clauses.store.schema import MIGRATIONS
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord

GOLD = Path(__file__).parents[1] / "annotations"


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


def found(text: str, *, locator: str = "a", **fields: str) -> Found:
    article = Article(content_id(text, None), text, None, **fields)
    item = Item(content_id(locator, None), "test", locator, Form.TEXT, text.encode("utf-8", "replace"))
    return Found(item, article, None, "utf-8", "traditional", signature(text))


def extracted(text: str, record: ArticleRecord, *, locator: str = "a", **fields: str) -> Extracted:
    one = found(text, locator=locator, **fields)
    return Extracted(
        one, record.model_copy(update={"article": record.article.model_copy(update={"id": one.article.id})})
    )


def test_a_record_is_taken_apart_without_loss(store: Store, gold: GoldArticle) -> None:
    one = extracted(gold.article.text, gold.record)
    assert one.record is not None
    store.commit([one], run_id="r")
    assert [*store.records()] == [one.record]
    clauses = [clause for proposal in one.record.proposals for clause in proposal.clauses]
    assert rows(store, "SELECT count(*) AS n FROM clauses") == [{"n": len(clauses)}]
    stored = rows(store, "SELECT start_char, end_char, text FROM mentions WHERE owner = 'clause' ORDER BY owner_id, n")
    assert sorted((r["start_char"], r["end_char"], r["text"]) for r in stored) == sorted(
        (m.start, m.end, m.text) for clause in clauses for m in clause.mentions
    )
    numbers = [term for clause in clauses for term in clause.terms if not isinstance(term.value, str)]
    assert rows(store, "SELECT sum(value) AS total FROM terms") == [{"total": sum(float(t.value) for t in numbers)}]


def test_every_gold_record_fits_the_schema_with_unique_keys() -> None:
    keys = {table.name: table.key for table in TABLES}
    records = [record for path in sorted(GOLD.glob("*.jsonl")) for record in read_records(path)]
    assert len(records) > 100
    by_table: dict[str, list[dict[str, object]]] = {}
    for record in records:
        for name, row in record_rows(record):
            by_table.setdefault(name, []).append(row)
    for name, table_rows in by_table.items():
        ids = [tuple(row[key] for key in keys[name]) for row in table_rows]
        assert len(ids) == len(set(ids)), name
        assert arrow_table(name, table_rows).num_rows == len(ids)


def test_committing_twice_changes_nothing(store: Store, gold: GoldArticle) -> None:
    outcomes = [extracted(gold.article.text, gold.record), SourceRead("0" * 32, "s", FeedState("u", "e", None, 200))]
    store.commit(outcomes, run_id="r")
    before = everything(store)
    store.commit(outcomes, run_id="r")
    assert everything(store) == before


def test_a_commit_is_whole_or_not_at_all(store: Store, gold: GoldArticle, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(store)
    real = store._connection.insert

    def failing(table: str, table_rows: object) -> None:
        if table == "terms":
            raise duckdb.IOException("no space left on device")
        real(table, table_rows)

    monkeypatch.setattr(store._connection, "insert", failing)
    with pytest.raises(StoreError, match=r"cannot be written: .*no space left"):
        store.commit([extracted(gold.article.text, gold.record)], run_id="r")
    assert everything(store) == before


def test_a_dead_letter_keeps_all_that_is_needed_and_goes_when_it_is_read(store: Store, gold: GoldArticle) -> None:
    one = extracted(gold.article.text, gold.record)
    hints = Hints(url="http://x.test/停火", published=gold.article.published, title="\ud800")
    item = Item(one.found.item.item_id, "s", "l", Form.HTML, b"\0\xff", hints)
    for attempt in (1, 2):
        store.commit([Lost(item, Problem(Fault.EXTRACTION, "bad\0", transient=True))], run_id="r")
        (letter,) = rows(store, "SELECT attempts, fault, message, payload FROM dead_letters")
        assert letter == {"attempts": attempt, "fault": "extraction", "message": "bad\ufffd", "payload": b"\0\xff"}
    assert [*store.dead_letters()] == [item]
    assert [*store.dead_letters(most_attempts=2)] == []
    assert store.known_items([item.item_id]) == {item.item_id}
    store.commit([one], run_id="r")
    assert rows(store, "SELECT * FROM dead_letters") == []


def test_text_that_no_database_holds_is_stored_with_its_offsets(store: Store, gold: GoldArticle) -> None:
    text = "停\ud800火\0協議"
    store.commit([extracted(text, gold.record, title="\ud800=x")], run_id="r")
    assert rows(store, "SELECT text, title FROM articles") == [{"text": "停\ufffd火\ufffd協議", "title": "\ufffd=x"}]


def test_the_same_article_elsewhere_is_one_article_seen_twice(store: Store, gold: GoldArticle) -> None:
    first, second = (extracted(gold.article.text, gold.record, locator=name) for name in "ab")
    store.commit([first, second], run_id="r")
    assert rows(store, "SELECT count(*) AS n FROM articles") == [{"n": 1}]
    assert rows(store, "SELECT locator FROM sightings ORDER BY 1") == [{"locator": "a"}, {"locator": "b"}]


def test_a_file_in_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "a.duckdb"
    code = f"import duckdb, time\nc = duckdb.connect({str(path)!r})\nprint('open', flush=True)\ntime.sleep(30)"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert other.stdout is not None
    try:
        other.stdout.readline()
        with pytest.raises(StoreError, match="in use by another process; a store has one writer"):
            Store(path)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").write_text("no database")
    with pytest.raises(StoreError, match=r"a\.duckdb: cannot be opened as a store"):
        Store(tmp_path / "a.duckdb")


class TestMigration:
    def test_an_older_store_gains_what_is_new_and_keeps_what_it_has(self, tmp_path: Path, gold: GoldArticle) -> None:
        path = tmp_path / "a.duckdb"
        with Store(path) as store:
            store.commit([extracted(gold.article.text, gold.record)], run_id="r")
            before = everything(store)
        later = SCHEMA_VERSION + 1
        steps = {**MIGRATIONS, later: ("ALTER TABLE articles ADD COLUMN language VARCHAR DEFAULT 'zh-Hant'",)}
        with Store(path, migrations=steps) as store:
            assert rows(store, "SELECT language FROM articles") == [{"language": "zh-Hant"}]
            assert rows(store, "SELECT content FROM meta") == [{"content": str(later)}]
            assert {**everything(store), "meta": []} == {**before, "meta": []}
            assert rows(store, "SELECT count(*) AS n FROM troop_caps")
        with pytest.raises(
            StoreError, match=f"schema version {later}, this package knows {SCHEMA_VERSION}; upgrade it"
        ):
            Store(path)

    def test_a_step_that_fails_leaves_the_store_as_it_was(self, tmp_path: Path) -> None:
        path = tmp_path / "a.duckdb"
        Store(path).close()
        steps = {
            **MIGRATIONS,
            SCHEMA_VERSION + 1: ("CREATE TABLE further (a INTEGER)", "ALTER TABLE nowhere ADD COLUMN a INTEGER"),
        }
        with pytest.raises(StoreError, match="not a store, or damaged"):
            Store(path, migrations=steps)
        with Store(path) as store:
            assert rows(store, "SELECT table_name FROM information_schema.tables WHERE table_name = 'further'") == []

    def test_a_reader_does_not_migrate(self, tmp_path: Path) -> None:
        path = tmp_path / "a.duckdb"
        Store(path).close()
        with pytest.raises(StoreError, match="open it for writing once"):
            Store(path, read_only=True, migrations={**MIGRATIONS, SCHEMA_VERSION + 1: ()})


def test_a_change_of_the_schema_is_a_new_version() -> None:
    """Stores in use are brought up to date by MIGRATIONS, so a table or view that changes needs a step and this hash."""
    spec = repr([(table.statement(), table.key) for table in TABLES]) + repr(VIEWS)
    assert (SCHEMA_VERSION, hashlib.sha256(spec.encode()).hexdigest()[:12]) == (1, "3c96520209c1")


class TestQueries:
    def test_a_query_sees_the_store_and_nothing_else(self, tmp_path: Path) -> None:
        path = tmp_path / "a.duckdb"
        (tmp_path / "secret.csv").write_text("a\n1\n")
        Store(path).close()
        with Store(path, read_only=True) as store:
            store.lock_down()
            assert rows(store, "SELECT 1 AS a") == [{"a": 1}]
            for statement in (
                f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
                f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
                f"ATTACH '{tmp_path}/b.duckdb'",
                "SET enable_external_access = true",
                "INSTALL httpfs",
                "DELETE FROM articles",
            ):
                with pytest.raises(StoreError):
                    store.query(statement)
        assert not (tmp_path / "out.csv").exists()

    def test_every_view_can_be_read_when_there_is_nothing(self, store: Store) -> None:
        for name in VIEWS:
            assert rows(store, f"SELECT * FROM {name}") == []


class TestExport:
    @pytest.fixture
    def filled(self, gold: GoldArticle) -> Iterator[Store]:
        with Store(":memory:") as store:
            titles = {"title": '=HYPERLINK("http://x.test")', "source": "@SUM(1)", "url": 'http://x.test/,"\n'}
            store.commit([extracted(gold.article.text, gold.record, **titles)], run_id="r")
            lost = Item("1" * 32, "+1", "-1", Form.TEXT, b"x")
            store.commit([Lost(lost, Problem(Fault.EMPTY, "\t=1"))], run_id="r")
            yield store

    def test_parquet_holds_every_table_and_view_as_it_is(self, filled: Store, tmp_path: Path) -> None:
        files = export(filled, tmp_path / "out", form=ExportFormat.PARQUET)
        assert set(files) == {t.name for t in TABLES} - {"bands"} | set(VIEWS)
        for name, path in files.items():
            assert pq.read_table(path).num_rows == filled.query(f"SELECT * FROM {name}").num_rows, name
        assert pq.read_table(files["articles"]).column("title").to_pylist() == ['=HYPERLINK("http://x.test")']

    def test_csv_is_read_by_a_spreadsheet_as_text_and_never_as_formulas(self, filled: Store, tmp_path: Path) -> None:
        files = export(filled, tmp_path / "out", form=ExportFormat.CSV)
        for name, path in files.items():
            assert path.read_bytes().startswith(b"\xef\xbb\xbf"), name
            with path.open(encoding="utf-8-sig", newline="") as stream:
                cells = [cell for row in csv.reader(stream) for cell in row]
            assert not [
                cell for cell in cells if cell.lstrip()[:1] in "=+@＝＋－＠-" and cell.strip() and not number(cell)
            ]
        with files["articles"].open(encoding="utf-8-sig", newline="") as stream:
            (row,) = csv.DictReader(stream)
        assert (row["title"], row["outlet"], row["url"]) == (
            '\'=HYPERLINK("http://x.test")',
            "'@SUM(1)",
            'http://x.test/,"\n',
        )
        assert "signature" not in row
        assert len(csv_rows(files["dead_letters"])) == 1

    def test_jsonl_holds_the_records(self, filled: Store, tmp_path: Path) -> None:
        (path,) = export(filled, tmp_path / "out", form=ExportFormat.JSONL).values()
        assert read_records(path) == [*filled.records()]
        assert path.read_text("utf-8") == "".join(record_to_json(record) + "\n" for record in filled.records())

    def test_an_export_that_fails_leaves_what_was_there(
        self, filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (path,) = export(filled, tmp_path, form=ExportFormat.JSONL).values()
        before = path.read_bytes()

        def broken() -> Iterator[tuple[str, str]]:
            yield "a", "{}"
            raise StoreError("gone")

        monkeypatch.setattr(filled, "record_lines", broken)
        with pytest.raises(StoreError):
            export(filled, tmp_path, form=ExportFormat.JSONL)
        assert (path.read_bytes(), [*tmp_path.iterdir()]) == (before, [path])


def number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [*csv.DictReader(stream)]


@given(st.text(max_size=6))
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert defuse(text).lstrip()[:1] not in {"=", "+", "-", "@", "＝", "＋", "－", "＠"}
    assert defuse(text).removeprefix("'") == text.removeprefix("'") or defuse(text) == f"'{text}"


class TestViews:
    @pytest.fixture
    def filled(self, tmp_path: Path) -> Iterator[Store]:
        texts = [
            ("2025-11-22", "海峽早報", "白嶼方案規定北嶺兵力不得超過8萬人。"),
            ("2025-11-23", "公共台", "白嶼方案規定北嶺兵力不得超過9萬人。"),
            ("2025-11-24", "中部社", "外電也說白嶼方案規定北嶺兵力不得超過8萬人。"),
            ("2025-11-24", "中部社", "石門方案規定北嶺兵力不得超過5萬人。"),
        ]
        lines = [json.dumps({"text": text, "published": day, "source": outlet}) for day, outlet, text in texts]
        (tmp_path / "a.jsonl").write_text("\n".join(lines) + '\n{"text": ""}\n')
        with Store(":memory:") as store:
            process([tmp_path / "a.jsonl"], store)
            yield store

    def test_troop_caps_stand_by_plan_and_date(self, filled: Store) -> None:
        found = rows(filled, "SELECT plan, published, bearers, value, outlet FROM troop_caps ORDER BY plan, published")
        assert [tuple(row.values()) for row in found] == [
            ("白嶼方案", "2025-11-22", "北嶺", 80_000, "海峽早報"),
            ("白嶼方案", "2025-11-23", "北嶺", 90_000, "公共台"),
            ("白嶼方案", "2025-11-24", "北嶺", 80_000, "中部社"),
            ("石門方案", "2025-11-24", "北嶺", 50_000, "中部社"),
        ]
        assert {row["role"] for row in rows(filled, "SELECT role FROM numbers")} == {TermRole.TROOP_CAP.value}

    def test_articles_that_disagree_on_a_number_are_found(self, filled: Store) -> None:
        found = rows(filled, "SELECT plan, stated, articles, first_published FROM disagreements ORDER BY stated")
        assert [(row["plan"], row["articles"], row["first_published"]) for row in found] == [
            ("白嶼方案", 2, "2025-11-22"),
            ("白嶼方案", 1, "2025-11-23"),
        ]
        assert found[0]["stated"].startswith("le 80000")

    def test_faults_are_counted_by_source_and_kind(self, filled: Store) -> None:
        (row,) = rows(filled, "SELECT fault, items, example FROM faults")
        assert (row["fault"], row["items"]) == ("empty", 1)
        assert "the article is empty" in row["example"]


def test_texts_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(make_text(1), encoding="utf-8")
    with Store(tmp_path / "a.duckdb", keep_text=False) as store:
        process([tmp_path / "a.txt"], store)
        assert rows(store, "SELECT text, length FROM articles") == [{"text": "", "length": len(make_text(1))}]


def test_a_copied_store_opens_elsewhere(tmp_path: Path, gold: GoldArticle) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        store.commit([extracted(gold.article.text, gold.record)], run_id="r")
        before = everything(store)
    shutil.copy(tmp_path / "a.duckdb", tmp_path / "b.duckdb")
    with Store(tmp_path / "b.duckdb", read_only=True) as store:
        assert everything(store) == before
