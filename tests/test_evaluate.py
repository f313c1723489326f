import hashlib
import json

import pytest
from rich.console import Console

from scoring_cases import actor, clause, one_clause, proposal, record, term
from treaty_clauses.errors import AnnotationError, ConfigError, InputError
from treaty_clauses.evaluate import Report, Shortfall, check_floors, evaluate_files
from treaty_clauses.labels import ClauseType, Modality

GOLD = [
    record(proposal(clause((0, 10), terms=(term((3, 8), 600000),)), clause((20, 30))), article="a1"),
    record(proposal(clause((0, 10), type=ClauseType.TRADE)), article="a2"),
    record(article="a3"),
]
PREDICTED = [
    record(proposal(clause((0, 10), terms=(term((3, 8), 600000),))), article="a1"),
    record(proposal(clause((0, 9), modality=Modality.RIGHT)), article="a2"),
    record(article="a3"),
]


@pytest.fixture
def evaluate(tmp_path):
    """Write records to files and evaluate them."""

    def run(gold=GOLD, predicted=PREDICTED, **options) -> Report:
        for name, records in (("gold", gold), ("predicted", predicted)):
            lines = "".join(f"{item.model_dump_json()}\n" for item in records)
            (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        return evaluate_files(tmp_path / "gold.jsonl", tmp_path / "predicted.jsonl", **options)

    return run


def test_a_report_has_the_rates_of_both_files(evaluate):
    report = evaluate()
    assert report.rates["clause.f1"].value == pytest.approx(0.8)
    assert report.rates["typed.f1"].value == pytest.approx(0.4)
    assert report.rates["term.precision"].value == 1.0
    assert report.rates["modality.accuracy"].value == 0.5
    assert report.rates["record.recall"].value == pytest.approx(1 / 3)
    assert report.problems == ()


def test_the_order_of_records_in_the_files_changes_nothing(evaluate):
    report, other = evaluate(), evaluate(GOLD[::-1], PREDICTED[1:] + PREDICTED[:1])
    assert (other.total, other.rates) == (report.total, report.rates)


def test_the_options_reach_the_bootstrap(evaluate):
    report = evaluate(resamples=10, seed=5)
    assert report.rates["clause.recall"].resamples <= 10
    assert (report.conditions.resamples, report.conditions.seed) == (10, 5)
    assert evaluate(resamples=0).rates["clause.f1"].low is None


def test_a_missing_prediction_counts_as_empty_and_is_reported(evaluate):
    report = evaluate(predicted=PREDICTED[1:])
    assert report.total.articles == 3
    assert report.total.clause.fn == 2
    assert report.problems == ("a1: not predicted; counted as an empty record",)


def test_an_empty_file_of_predictions_is_scored_as_finding_nothing(evaluate):
    report = evaluate(predicted=[])
    assert (report.rates["clause.recall"].value, report.rates["clause.precision"].value) == (0.0, None)
    assert len(report.problems) == 3


def test_a_prediction_without_gold_is_left_out_and_reported(evaluate):
    report = evaluate(predicted=[*PREDICTED, record(proposal(clause((0, 5))), article="a4")])
    assert report.total.predicted_clauses == 2
    assert report.problems == ("a4: predicted, but not in gold; left out",)


def test_actor_ids_that_are_not_listed_are_reported(evaluate):
    gold = one_clause(actor("u", (0, 2)), bearer=("u",))
    report = evaluate([gold], [one_clause(bearer=("u", "x"))])
    assert report.problems == (
        "a1: predicted clauses use actor ids that are not among the actors (u, x); each counted as wrong",
    )


@pytest.mark.parametrize(
    ("gold", "predicted", "error", "message"),
    [
        pytest.param(
            GOLD,
            [record(article="a1", text="other")],
            InputError,
            "predicted.jsonl: the record of article a1 is of the text with SHA-256",
            id="another text",
        ),
        pytest.param(
            GOLD,
            [*PREDICTED, PREDICTED[0]],
            InputError,
            "predicted.jsonl: article a1 has more than one",
            id="predicted twice",
        ),
        pytest.param(
            [*GOLD, GOLD[0]], [], AnnotationError, "gold.jsonl: article a1 has more than one", id="gold twice"
        ),
        pytest.param([], PREDICTED, AnnotationError, "gold.jsonl: no gold record", id="no gold"),
        pytest.param(
            GOLD, [record(article="b")], InputError, "no article of .*gold begins with 'a1'", id="nothing shared"
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(evaluate, gold, predicted, error, message):
    with pytest.raises(error, match=message):
        evaluate(gold, predicted)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.jsonl: can't be read"):
        evaluate_files(tmp_path / "nowhere.jsonl", tmp_path / "predicted.jsonl")


def test_a_negative_number_of_resamples_is_refused(evaluate):
    with pytest.raises(ConfigError, match="resamples is -1"):
        evaluate(resamples=-1)


def test_the_json_carries_counts_rates_and_conditions(evaluate, tmp_path):
    report = evaluate()
    content = json.loads(json.dumps(report.to_json(), allow_nan=False))
    conditions = content["conditions"]
    assert conditions["gold_sha256"] == hashlib.sha256((tmp_path / "gold.jsonl").read_bytes()).hexdigest()
    assert (conditions["gold"], conditions["articles"], conditions["articles_without_clause"]) == ("gold.jsonl", 3, 1)
    assert (conditions["gold_clauses"], conditions["predicted_mentions"]) == (3, 2)
    assert (conditions["resamples"], conditions["seed"]) == (1000, 0)
    assert "IoU >= 0.5" in conditions["match_rule"]
    assert {name: content["figures"]["clause"][name] for name in ("tp", "fp", "fn")} == {"tp": 2, "fp": 0, "fn": 1}
    assert content["figures"]["clause"]["f1"]["value"] == pytest.approx(0.8)
    assert content["figures"]["actor"]["f1"] == {"value": None, "low": None, "high": None, "resamples": 0}
    assert content["figures"]["modality"]["right"] == 1
    assert len(content["types"]) == len(ClauseType)
    assert content["types"]["trade"]["recall"]["value"] == 0.0
    assert content["agreement"]["type"]["pairs"] == 2
    assert content["confusions"]["type"] == [
        {"gold": "ceasefire", "predicted": "ceasefire", "count": 1},
        {"gold": "trade", "predicted": "ceasefire", "count": 1},
    ]


def test_every_figure_of_the_guidelines_is_shown_with_its_conditions(evaluate):
    report = evaluate(predicted=PREDICTED[1:])
    console = Console(width=250, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(report.to_table())
    for shown in (report.to_markdown(), capture.get()):
        for figure in (*report.total.tallies, *report.total.shares, *report.total.confusions, "ceasefire"):
            assert figure in shown
        for condition in (report.conditions.gold_sha256, "seed 0", "1000 resamples", "3 articles", "IoU >= 0.5"):
            assert condition in shown
        assert "a1: not predicted; counted as an empty record" in shown


def test_markdown_shows_a_dash_for_what_is_undefined_and_has_even_rows(evaluate):
    markdown = evaluate().to_markdown()
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert "| actor | actor mention: exact span, same link | – | – | – | – | 0 | 0 | 0 |" in rows
    assert markdown.endswith("\n")
    tables = markdown.split("**")
    for table in tables:
        widths = {line.count("|") for line in table.splitlines() if line.startswith("|")}
        assert len(widths) <= 1


# --- floors


@pytest.fixture
def pin(tmp_path):
    """Write a file of floors for the gold of a report."""

    def write(report: Report, floors, gold_sha256=None):
        path = tmp_path / "floors.json"
        content = {"gold_sha256": gold_sha256 or report.conditions.gold_sha256, "floors": floors}
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def test_floors_that_are_reached_give_no_shortfall(evaluate, pin):
    report = evaluate()
    assert check_floors(report, pin(report, {"clause.f1": 0.8, "term.f1": 1.0})) == ()


def test_a_rate_below_its_floor_or_undefined_is_a_shortfall(evaluate, pin):
    report = evaluate()
    shortfalls = check_floors(report, pin(report, {"clause.f1": 0.81, "actor.f1": 0, "term.f1": 1}))
    assert shortfalls == (Shortfall("clause.f1", 0.81, 0.8), Shortfall("actor.f1", 0, None))
    assert [str(item) for item in shortfalls] == [
        "clause.f1 is 0.8000, its floor is 0.8100",
        "actor.f1 is undefined, its floor is 0.0000",
    ]


def test_floors_of_other_gold_are_not_compared(evaluate, pin):
    report = evaluate()
    with pytest.raises(ConfigError, match=r"pinned for gold with SHA-256 0000, but gold\.jsonl has"):
        check_floors(report, pin(report, {"clause.f1": 0.1}, gold_sha256="0000"))


def test_a_floor_for_an_unknown_rate_is_an_error(evaluate, pin):
    report = evaluate()
    with pytest.raises(ConfigError, match="no rate is named 'clauses'"):
        check_floors(report, pin(report, {"clauses": 0.1}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("{", "no JSON", id="no JSON"),
        pytest.param("[]", "expected", id="no object"),
        pytest.param('{"floors": {"record.f1": 0.5}}', "expected", id="no hash"),
        pytest.param('{"gold_sha256": "0", "floors": {}}', "expected", id="no floor"),
        pytest.param('{"gold_sha256": "0", "floors": {"record.f1": 41}}', "floor of record.f1 is 41", id="percent"),
        pytest.param('{"gold_sha256": "0", "floors": {"record.f1": NaN}}', "floor of record.f1 is nan", id="NaN"),
        pytest.param(None, "can't be read", id="no file"),
    ],
)
def test_a_damaged_file_of_floors_is_refused(evaluate, tmp_path, content, message):
    path = tmp_path / "floors.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        check_floors(evaluate(), path)
