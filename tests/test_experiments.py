"""The variants of the recipe that `benchmarks/experiments.py` trains."""

import json
from pathlib import Path
from typing import Any

import experiments
import pytest

from treaty_clauses.counts import Counts, Tally
from treaty_clauses.score import Scores


@pytest.fixture(scope="module")
def variants() -> tuple[dict[str, Any], dict[str, experiments.Variant]]:
    return experiments.load_variants(experiments.VARIANTS)


def test_every_variant_changes_the_recipe(variants: tuple[dict[str, Any], dict[str, experiments.Variant]]) -> None:
    base, named = variants
    assert named
    changed = [variant.apply(base, 1) for variant in named.values()]
    assert len({repr(recipe) for recipe in [*changed, experiments.Variant("none").apply(base, 1)]}) == len(named) + 1
    assert all(sum(start is not None for start in (recipe.encoder, recipe.shape)) == 1 for recipe in changed)


def test_a_variant_reads_a_part_leaves_a_source_out_and_sets_keys(
    variants: tuple[dict[str, Any], dict[str, experiments.Variant]],
) -> None:
    base, _ = variants
    left_out = base["train"][1]["records"]
    recipe = experiments.Variant("x", part=0.5, without=(left_out,), set={"use_boundaries": False}).apply(base, 7)
    assert [source.records for source in recipe.train] == [Path(base["train"][0]["records"])]
    assert [source.part for source in recipe.train] == [0.5]
    assert (recipe.seed, recipe.use_boundaries) == (7, False)


def test_results_are_shown_with_their_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = Scores((Counts(articles=1, record=Tally(1, 1, 1)), Counts(articles=1, record=Tally(3, 1, 1))))
    figures = experiments.measure(scores)
    assert figures["record.f1"][0] == pytest.approx(2 / 3)
    row = {"variant": "half", "seed": 2, "articles": 10, "clauses": 30, "figures": figures}
    (tmp_path / "half-2").mkdir()
    (tmp_path / "half-2" / "result.json").write_text(json.dumps(row), encoding="utf-8")
    experiments.show(tmp_path)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3
    assert printed[2].startswith("| half | 2 | 10 | 30 | 0.667 (0.500-0.750) |")


def test_an_unknown_variant_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no variant 'articles-99'; expected one of articles-12"):
        experiments.run(["articles-99"], [1], tmp_path)
