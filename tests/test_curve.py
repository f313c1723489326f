import csv
import json
from pathlib import Path

import pytest

from treaty_clauses.errors import InputError
from treaty_clauses.training.curve import write_curve

ROWS = [
    {"time": 1, "step": 50, "characters": 1000, "loss": 8.5},
    {"time": 2, "step": 60, "characters": 1200, "news_single_accuracy": 0.125, "news_single_loss": 7.0},
    {"time": 3, "step": 100, "characters": 2000, "loss": 7.25},
]


def test_the_curve_holds_every_row_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    write_curve(log, tmp_path)
    with (tmp_path / "curve.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["characters"] for row in rows] == ["1000", "1200", "2000"]
    assert [row["loss"] for row in rows] == ["8.5", "", "7.25"]
    assert rows[1]["news_single_accuracy"] == "0.125"
    picture = (tmp_path / "curve.svg").read_bytes()
    assert picture.startswith(b"<?xml")
    write_curve(log, tmp_path)
    assert (tmp_path / "curve.svg").read_bytes() == picture


def test_a_log_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("no log\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot read the log of a pretraining"):
        write_curve(tmp_path / "log.jsonl", tmp_path)
