"""From files to a report: pair gold with predicted records, score them, compare the report with pinned floors."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from treaty_clauses.canonical import find_unlisted_actors
from treaty_clauses.errors import AnnotationError, ConfigError, InputError
from treaty_clauses.io import read_records
from treaty_clauses.score import score_corpus
from treaty_clauses.score_report import Conditions, Report
from treaty_clauses.types import ArticleRecord

__all__ = ["Report", "Shortfall", "check_floors", "evaluate_files", "pair_files"]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rate below its floor; `value` is None where the rate is undefined."""

    figure: str
    floor: float
    value: float | None

    def __str__(self) -> str:
        value = "undefined" if self.value is None else f"{self.value:.4f}"
        return f"{self.figure} is {value}, its floor is {self.floor:.4f}"


def evaluate_files(
    gold_path: Path,
    predicted_path: Path,
    *,
    texts: Mapping[str, str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Report:
    """Score a JSONL file of predicted records against one of gold records.

    Records are paired by article id. A gold article without a prediction counts as an empty record, a prediction
    for an article without gold is left out; both are named in the report's `problems`.

    Args:
        gold_path: JSONL of gold `ArticleRecord`s.
        predicted_path: JSONL of predicted `ArticleRecord`s.
        texts: Article texts by id, for gold that holds offsets only.
        resamples: Number of bootstrap resamples over articles; 0 gives no intervals.
        seed: Seed of the bootstrap.

    Raises:
        AnnotationError: There is no gold record, or an article has more than one.
        ConfigError: `resamples` is negative.
        InputError: A file can't be read, an article has two predictions, the files have no article in common, or gold
            and prediction of an article are of different texts.
    """
    if resamples < 0:
        raise ConfigError(f"resamples is {resamples}; give 0 (no intervals) or more, 1000 is usual")
    gold_sha256, predicted_sha256 = _hash_file(gold_path), _hash_file(predicted_path)
    pairs, problems = pair_files(gold_path, predicted_path, texts=texts)
    models = sorted({predicted.model for _, predicted in pairs if predicted.model is not None})
    conditions = Conditions(
        gold=gold_path.name,
        gold_sha256=gold_sha256,
        predicted=predicted_path.name,
        predicted_sha256=predicted_sha256,
        models=tuple(models),
        resamples=resamples,
        seed=seed,
    )
    return Report.of(score_corpus(pairs), conditions, problems)


def pair_files(
    gold_path: Path, predicted_path: Path, *, texts: Mapping[str, str] | None = None
) -> tuple[list[tuple[ArticleRecord, ArticleRecord]], list[str]]:
    """Pairs of (gold, predicted) records by article id, sorted, and what had to be counted as empty, wrong or left out.

    Raises:
        AnnotationError: There is no gold record, or an article has more than one.
        InputError: A file can't be read, an article has two predictions, the files have no article in common, or gold
            and prediction of an article are of different texts.
    """
    gold = _index_records(gold_path, AnnotationError, texts)
    predicted = _index_records(predicted_path, InputError)
    if not gold:
        raise AnnotationError(f"{gold_path}: no gold record is in it; give the JSONL of a split")
    if predicted and not gold.keys() & predicted.keys():
        raise InputError(
            f"{predicted_path}: no article of {gold_path} is in it (gold begins with {min(gold)!r}, the prediction "
            f"with {min(predicted)!r}); predict the articles of this gold, under the same ids"
        )
    problems = [
        f"{article_id}: predicted, but not in gold; left out" for article_id in sorted(predicted.keys() - gold.keys())
    ]
    pairs = []
    for article_id, gold_record in sorted(gold.items()):
        predicted_record = predicted.get(article_id)
        if predicted_record is None:
            problems.append(f"{article_id}: not predicted; counted as an empty record")
            predicted_record = gold_record.model_copy(update={"actors": (), "proposals": (), "model": None})
        elif predicted_record.article.sha256 != gold_record.article.sha256:
            raise InputError(
                f"{predicted_path}: the record of article {article_id} is of the text with SHA-256 "
                f"{predicted_record.article.sha256}, but the one in {gold_path} of {gold_record.article.sha256}; run "
                "the extractor on the very text that was annotated"
            )
        for side, record in (("gold", gold_record), ("predicted", predicted_record)):
            if unlisted := find_unlisted_actors(record):
                problems.append(
                    f"{article_id}: {side} clauses use actor ids that are not among the actors "
                    f"({', '.join(unlisted)}); each counted as wrong"
                )
        pairs.append((gold_record, predicted_record))
    return pairs, problems


def check_floors(report: Report, floors_path: Path) -> tuple[Shortfall, ...]:
    """Compare a report with pinned floors; nothing is returned when every rate reaches its floor.

    The file is a JSON object: `{"gold_sha256": "...", "floors": {"record.f1": 0.41, "term.f1": 0.6}}`, with the names
    of `Report.rates`. Floors are numbers on one gold file: on another one they say nothing, so nothing is compared.

    Raises:
        ConfigError: The file can't be read or has another form, names an unknown rate, or its gold isn't the report's.
    """
    gold_sha256, floors = _read_floors(floors_path)
    if gold_sha256 != report.conditions.gold_sha256:
        raise ConfigError(
            f"{floors_path}: the floors are pinned for gold with SHA-256 {gold_sha256}, but {report.conditions.gold} "
            f"has {report.conditions.gold_sha256}; evaluate the model again and pin floors and hash together"
        )
    if unknown := sorted(floors.keys() - report.rates.keys()):
        raise ConfigError(
            f"{floors_path}: no rate is named {unknown[0]!r}; names look like 'record.f1', 'anchor.accuracy'"
        )
    shortfalls = []
    for figure, floor in floors.items():
        value = report.rates[figure].value
        if value is None or value < floor:
            shortfalls.append(Shortfall(figure, floor, value))
    return tuple(shortfalls)


def _hash_file(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); give a JSONL file of article records") from error


def _index_records(
    path: Path, error: type[AnnotationError] | type[InputError], texts: Mapping[str, str] | None = None
) -> dict[str, ArticleRecord]:
    records: dict[str, ArticleRecord] = {}
    for record in read_records(path, texts=texts):
        if record.article.id in records:
            raise error(f"{path}: article {record.article.id} has more than one record; leave one")
        records[record.article.id] = record
    return records


def _read_floors(path: Path) -> tuple[str, Mapping[str, float]]:
    expected = 'expected {"gold_sha256": "...", "floors": {"record.f1": 0.5}} and nothing else'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); {expected}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: no JSON ({error}); {expected}") from error
    if not isinstance(content, dict) or content.keys() != {"gold_sha256", "floors"}:
        raise ConfigError(f"{path}: {expected}")
    gold_sha256, floors = content["gold_sha256"], content["floors"]
    if not isinstance(gold_sha256, str) or not isinstance(floors, dict) or not floors:
        raise ConfigError(f"{path}: {expected}")
    for figure, floor in floors.items():
        if isinstance(floor, bool) or not isinstance(floor, int | float) or not -1 <= floor <= 1:
            raise ConfigError(f"{path}: the floor of {figure} is {floor!r}; expected a number up to 1")
    return gold_sha256, floors
