"""The shipped model holds the figures pinned in annotations/floors.json, on the written dev split."""

from pathlib import Path

from treaty_clauses.evaluate import check_floors, evaluate_files
from treaty_clauses.extract import load
from treaty_clauses.io import read_articles, record_to_json
from treaty_clauses.types import Article

ROOT = Path(__file__).parents[1]


def test_the_shipped_model_holds_the_pinned_figures(tmp_path: Path) -> None:
    articles = [item for item in read_articles(ROOT / "corpus" / "dev.jsonl") if isinstance(item, Article)]
    predicted = tmp_path / "predicted.jsonl"
    predicted.write_text("".join(record_to_json(r) + "\n" for r in load().pipe(articles)), encoding="utf-8")
    report = evaluate_files(ROOT / "annotations" / "dev.jsonl", predicted, resamples=0)
    assert report.problems == ()
    assert check_floors(report, ROOT / "annotations" / "floors.json") == ()
