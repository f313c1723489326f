import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from treaty_clauses.card import END, START, Statistics, read_tables, render_tables, write_tables
from treaty_clauses.errors import InputError
from treaty_clauses.io import record_to_json, strip_text
from treaty_clauses.plots import draw_plots
from treaty_clauses.training.gold import GoldArticle


@pytest.fixture
def folders(tmp_path: Path, gold: GoldArticle) -> tuple[Path, Path]:
    annotations, corpus = tmp_path / "annotations", tmp_path / "corpus"
    (annotations / "real").mkdir(parents=True)
    corpus.mkdir()
    for split in ("train", "dev", "test"):
        for folder in (annotations, annotations / "real", corpus):
            (folder / f"{split}.jsonl").write_text("", encoding="utf-8")
    (annotations / "train.jsonl").write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    (annotations / "real" / "test.jsonl").write_text(json.dumps(strip_text(gold.record)) + "\n", encoding="utf-8")
    row = {"id": "harbor", "style": "wire", "region": "tw", "text": gold.article.text}
    (corpus / "train.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (corpus / "README.md").write_text(f"# Card\n\n{START}\nold\n{END}\n\nafter\n", encoding="utf-8")
    return annotations, corpus


def test_tables_count_by_split_and_kind(folders: tuple[Path, Path]) -> None:
    tables = render_tables(Statistics.read(*folders))
    assert "|  | written train | written dev | written test | real train | real dev | real test | all |" in tables
    assert "| articles | 1 | 0 | 0 | 0 | 0 | 1 | 2 |" in tables
    assert "| withdrawal | 1 | 0 | 1 | 2 | 16.7% |" in tables
    assert "| bearer | 5 | 0 | 5 | 10 | 83.3% |" in tables
    assert "| troop_cap | 1 | 0 | 1 | 2 | 20.0% |" in tables
    assert "| wire | 1 | 0 | 0 | 1 | 100.0% |" in tables, "a real article has no style"


def test_tables_stand_between_their_markers(folders: tuple[Path, Path]) -> None:
    statistics, card = Statistics.read(*folders), folders[1] / "README.md"
    write_tables(card, statistics)
    once = card.read_text("utf-8")
    write_tables(card, statistics)
    assert card.read_text("utf-8") == once
    assert once.startswith("# Card\n\n<!--")
    assert once.endswith("-->\n\nafter\n")
    assert "old" not in once
    assert read_tables(card) == render_tables(statistics)


def test_a_card_without_a_place_for_tables_is_named(folders: tuple[Path, Path]) -> None:
    card = folders[1] / "README.md"
    card.write_text("# Card\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"README\.md: no place for the tables"):
        write_tables(card, Statistics.read(*folders))
    card.unlink()
    with pytest.raises(InputError, match=r"README\.md: cannot read"):
        write_tables(card, Statistics.read(*folders))


def test_missing_articles_are_named(folders: tuple[Path, Path]) -> None:
    (folders[1] / "dev.jsonl").unlink()
    with pytest.raises(InputError, match=r"dev\.jsonl: cannot read the articles"):
        Statistics.read(*folders)


def test_plots_are_drawn_alike_each_time(folders: tuple[Path, Path], tmp_path: Path) -> None:
    statistics = Statistics.read(*folders)
    first, second = draw_plots(statistics, tmp_path / "one"), draw_plots(statistics, tmp_path / "two")
    assert [path.name for path in first] == ["clause_types.svg", "lengths.svg", "modality_status.svg", "years.svg"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert ET.parse(one).getroot().tag.endswith("svg")
