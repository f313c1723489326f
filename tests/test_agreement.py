import json
import shutil
from pathlib import Path

import pytest

from treaty_clauses.agreement import measure_agreement, read_annotations, summarize
from treaty_clauses.errors import AnnotationError, InputError
from treaty_clauses.io import record_to_json, strip_text
from treaty_clauses.labels import Status
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import ArticleRecord

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING = {"all": lambda _: True, "none": lambda _: False}


def with_other_status(record: ArticleRecord) -> ArticleRecord:
    first, *rest = record.proposals
    changed, *clauses = first.clauses
    clause = changed.model_copy(update={"status": Status.REJECTED})
    return record.model_copy(update={"proposals": (first.model_copy(update={"clauses": (clause, *clauses)}), *rest)})


def test_the_same_annotation_agrees_in_everything(gold: GoldArticle) -> None:
    records = {"harbor": gold.record}
    table = measure_agreement(records, records, groups=EVERYTHING, resamples=10)
    assert table["articles"] == ["harbor"]
    assert "none" not in table
    assert table["all"]["figures"]["record"]["f1"]["value"] == 1.0
    assert table["all"]["agreement"]["type"]["alpha"]["value"] == 1.0


def test_alpha_is_reported_for_each_label(gold: GoldArticle) -> None:
    other = with_other_status(gold.record)
    table = measure_agreement({"harbor": gold.record}, {"harbor": other}, groups=EVERYTHING, resamples=0)
    agreement = table["all"]["agreement"]
    assert agreement["type"]["alpha"]["value"] == 1.0
    assert 0 < agreement["status"]["alpha"]["value"] < 1
    assert "| alpha of status | 0." in summarize(table)
    assert summarize(table).startswith("| figure | all (1) |\n| --- | ---: |\n")


def test_articles_on_changed_texts_are_left_out_by_name(gold: GoldArticle) -> None:
    info = gold.record.article.model_copy(update={"sha256": "0" * 64})
    changed = gold.record.model_copy(update={"article": info})
    both = {"a": gold.record, "b": gold.record}
    table = measure_agreement(both, {"a": changed, "b": gold.record, "c": changed}, groups=EVERYTHING, resamples=0)
    assert (table["articles"], table["text_changed"], table["second_only"]) == (["b"], ["a"], ["c"])
    with pytest.raises(AnnotationError, match="no article is annotated in both on the same text"):
        measure_agreement({"a": gold.record}, {"a": changed}, groups=EVERYTHING)


@pytest.mark.parametrize("kind", ["quotes", "offsets only", "yaml", "folder"])
def test_annotations_are_read_from_every_form(tmp_path: Path, gold: GoldArticle, harbor_yaml: Path, kind: str) -> None:
    path = tmp_path / "second.jsonl"
    line = json.dumps(strip_text(gold.record)) if kind == "offsets only" else record_to_json(gold.record)
    if kind == "yaml":
        path = Path(shutil.copy(harbor_yaml, tmp_path))
    else:
        path.write_text(line + "\n", encoding="utf-8")
    records = read_annotations([tmp_path if kind == "folder" else path], {"harbor": gold.article.text})
    table = measure_agreement(records, {"harbor": gold.record}, groups=EVERYTHING, resamples=0)
    assert table["all"]["figures"]["record"]["f1"]["value"] == 1.0


def test_what_cannot_be_read_is_named(tmp_path: Path, gold: GoldArticle) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(record_to_json(gold.record) + "\n{\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:2: not a JSON object"):
        read_annotations([path], {})
    with pytest.raises(InputError, match=r"b\.jsonl: there is no such"):
        read_annotations([tmp_path / "b.jsonl"], {})
    path.write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    with pytest.raises(AnnotationError, match="harbor is annotated twice"):
        read_annotations([path, path], {})


def test_the_published_agreement_is_that_of_the_published_annotations() -> None:
    """Point figures only; `make agreement` writes them with their intervals."""
    published = json.loads((ROOT / "annotations" / "agreement.json").read_text("utf-8"))
    first = read_annotations([ROOT / "annotations", ROOT / "annotations" / "real"], {})
    second = read_annotations([ROOT / "annotations" / "second"], {})
    table = measure_agreement(first, second, groups={"all": lambda _: True}, resamples=0)
    assert table["articles"] == published["articles"]
    for name, figure in table["all"]["figures"].items():
        key = "f1" if "f1" in figure else "accuracy"
        assert figure[key]["value"] == published["all"]["figures"][name][key]["value"], f"run `make agreement`: {name}"
    for name, found in table["all"]["agreement"].items():
        assert found["alpha"]["value"] == published["all"]["agreement"][name]["alpha"]["value"], name
