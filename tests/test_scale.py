"""The public batch interface, called as Spark, Ray Data and `datasets` call it."""

import json
import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import datasets
import pandas as pd
import pytest

from standin import Standin, make_text
from treaty_clauses import extract as extract_module
from treaty_clauses.errors import InputError
from treaty_clauses.io import parse_record
from treaty_clauses.scale import OUTPUT_COLUMNS, SPARK_SCHEMA, BatchExtractor, extract_batches

DOCS = Path(__file__).parents[1] / "docs" / "operators.md"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The model is the quick extractor; the list says how often it was loaded."""
    loaded: list[object] = []

    def load(model: object) -> Standin:
        loaded.append(model)
        return Standin()

    monkeypatch.setattr(extract_module, "load", load)
    return loaded


def frame(start: int, stop: int) -> pd.DataFrame:
    return pd.DataFrame({"text": [make_text(number) for number in range(start, stop)]})


def test_each_batch_gives_one_row_a_row_and_the_model_is_loaded_once(quick: list[object]) -> None:
    def batches() -> Iterator[pd.DataFrame]:
        yield frame(0, 3)
        yield frame(3, 4)
        yield frame(0, 0)

    results = [*extract_batches(batches(), model="folder")]
    assert [len(result) for result in results] == [3, 1, 0]
    assert all(tuple(result.columns) == OUTPUT_COLUMNS for result in results)
    records = [parse_record(line, where="row") for line in results[0]["record"]]
    assert [record.article.length for record in records] == [len(make_text(number)) for number in range(3)]
    assert [str(model) for model in quick] == ["folder"]


def test_a_failure_is_its_own_rows() -> None:
    texts = [make_text(1), make_text(2) + "RAISE", None, "  ", "長" * 600, make_text(3), make_text(4)]
    batch = pd.DataFrame(
        {"text": texts, "published": ["2025-11-24", None, None, None, None, "soon", pd.NaT], "article_id": [*"abcdefg"]}
    )
    result = BatchExtractor(max_chars=500)(batch)
    assert result["article_id"].tolist() == [*"abcdefg"]
    assert result["fault"].tolist() == [None, "extraction", "empty", "empty", "too_long", "malformed", None]
    assert result["record"].notna().tolist() == [True, False, False, False, False, False, True]
    assert json.loads(result["record"][0])["article"]["published"] == "2025-11-24"


def test_a_batch_without_texts_is_refused() -> None:
    with pytest.raises(InputError, match="a batch needs a column `text`; it has words"):
        BatchExtractor()(pd.DataFrame({"words": ["x"]}))


def test_it_travels_without_its_model() -> None:
    extractor = BatchExtractor("folder")
    extractor(frame(0, 1))
    copy = pickle.loads(pickle.dumps(extractor))  # noqa: S301 - our own bytes, as Ray and Spark ship functions
    assert (copy, "_loaded" in copy.__dict__) == (extractor, False)


def test_datasets_map_takes_it() -> None:
    dataset = datasets.Dataset.from_dict({"text": [make_text(number) for number in range(5)]})
    extract = BatchExtractor()
    records = (
        dataset.with_format("pandas")
        .map(extract, batched=True, batch_size=2, remove_columns=["text"])
        .with_format(None)
    )
    assert records.column_names == list(OUTPUT_COLUMNS)
    assert [json.loads(row["record"])["article"]["length"] for row in records] == [len(make_text(n)) for n in range(5)]


def example(title: str) -> str:
    """The code under a heading of the operators' page."""
    return DOCS.read_text("utf-8").split(f"## {title}")[1].split("```python\n")[1].split("```")[0]


@pytest.fixture
def articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    frame(0, 5).to_parquet("articles.parquet")
    return tmp_path / "articles.parquet"


@pytest.mark.usefixtures("articles")
def test_the_example_for_datasets_runs_as_it_is_printed() -> None:
    names: dict[str, Any] = {}
    exec(example("Clusters: Hugging Face datasets"), names)
    assert len(names["records"].with_format(None)["record"]) == 5


@pytest.mark.usefixtures("articles")
def test_the_example_for_spark_runs_as_it_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stand-in of Spark that does what its documentation says of `mapInPandas`: frames in, frames out, by schema."""

    class Frame:
        def __init__(self, batches: list[pd.DataFrame]) -> None:
            self.batches, self.write = batches, self

        def mapInPandas(self, function: Any, *, schema: str) -> "Frame":  # noqa: N802
            results = [*function(iter(self.batches))]
            assert all([f"{name} string" for name in result.columns] == schema.split(", ") for result in results)
            return Frame(results)

        def parquet(self, path: str) -> "Frame":
            if self.batches:
                pd.concat(self.batches).to_parquet(path)
            return Frame([frame.iloc[:3] for frame in (pd.read_parquet(path),)])

    sql = ModuleType("pyspark.sql")
    session = SimpleNamespace(read=Frame([]))
    sql.SparkSession = SimpleNamespace(builder=SimpleNamespace(getOrCreate=lambda: session))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", sql)
    exec(example("Clusters: Spark"), {})
    assert pd.read_parquet(tmp_path / "records.parquet")["record"].notna().tolist() == [True] * 3


def test_spark_s_way_of_calling_it_is_an_iterator_of_frames_with_the_schema_s_columns() -> None:
    names = [part.split()[0] for part in SPARK_SCHEMA.split(", ")]
    results = pd.concat(extract_batches(iter([frame(0, 2), frame(2, 5)])))
    assert (list(results.columns), len(results)) == (names, 5)
    assert all(isinstance(cell, str) for cell in results["record"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs a Java runtime")
@pytest.mark.filterwarnings("ignore")  # Spark's own
def test_spark_itself_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [Path(__file__).parent, Path(__file__).parents[1] / "pipeline"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, places)))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    sql = pytest.importorskip("pyspark.sql")
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", False).getOrCreate()
    try:
        articles = session.createDataFrame(frame(0, 20))
        records = articles.mapInPandas(_extract_with_standin, schema=SPARK_SCHEMA)
        assert sorted(records.toPandas()["fault"].isna()) == [True] * 20
    finally:
        session.stop()


def _extract_with_standin(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """In Spark's worker, where nothing is patched: the model is the stand-in again."""
    import treaty_clauses.extract as module
    from standin import Standin
    from treaty_clauses.scale import extract_batches

    module.load = lambda _: Standin()  # type: ignore[assignment, return-value]
    return extract_batches(batches)
