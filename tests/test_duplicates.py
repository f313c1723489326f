import random
from pathlib import Path

import pytest

from batching import process, rows
from standin import make_text
from treaty_clauses.duplicates import BANDS, SIGNATURE_VALUES, SIMILAR, bands, signature, similarity
from treaty_clauses.store import Store

LONG = "".join(make_text(number) for number in range(5))
OTHER = "".join(make_text(number) for number in range(100, 105))


def shingles(text: str) -> set[str]:
    letters = "".join(character for character in text if character.isalnum())
    return {letters[start : start + 4] for start in range(len(letters) - 3)}


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.7, 0.5, 0.2])
def test_the_estimate_is_near_the_true_similarity(kept: float) -> None:
    first = LONG
    second = LONG[: int(len(LONG) * kept)] + OTHER[int(len(LONG) * kept) :]
    true = len(shingles(first) & shingles(second)) / len(shingles(first) | shingles(second))
    assert similarity(signature(first), signature(second)) == pytest.approx(true, abs=0.19)  # three standard errors


def test_a_signature_is_the_same_on_every_machine_and_day() -> None:
    assert signature(LONG) == signature(LONG)
    assert len(signature(LONG)) == 4 * SIGNATURE_VALUES
    assert len(set(bands(signature(LONG)))) == BANDS


def test_punctuation_and_spaces_do_not_count() -> None:
    assert signature(LONG.replace("，", " \n")) == signature(LONG)


def test_a_short_text_is_nobodys_copy() -> None:
    assert (signature("停火"), bands(b"")) == (b"", [])


def test_copies_share_a_band_strangers_hardly_ever() -> None:
    rng = random.Random(1)
    shared = 0
    for _ in range(20):
        cut = rng.randrange(len(LONG) - 60)
        copy = LONG[:cut] + LONG[cut + 60 :]
        assert similarity(signature(LONG), signature(copy)) >= SIMILAR
        shared += bool(set(bands(signature(LONG))) & set(bands(signature(copy))))
    assert shared == 20
    written = Path(__file__).parents[1] / "corpus" / "written"
    strangers = [signature(path.read_text(encoding="utf-8")) for path in sorted(written.glob("*-001.txt"))]
    keys = [key for stranger in strangers for key in bands(stranger)]
    assert len(set(keys)) == len(keys) > BANDS


def test_copies_are_linked_to_the_first_and_none_is_dropped(tmp_path: Path) -> None:
    texts = {
        "1.txt": LONG,
        "2.txt": OTHER,
        "3.txt": "（本報訊）" + LONG[:-40],
        "4.txt": LONG.replace("南川", "北川"),
        "5.txt": LONG,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for together in (True, False):
        with Store(":memory:") as store:
            for sources in [[tmp_path]] if together else [[tmp_path / name] for name in texts]:
                process(sources, store)
            found = rows(store, "SELECT number, story_id, similarity, article_id FROM articles ORDER BY number")
            assert [row["number"] for row in found] == [1, 2, 3, 4]
            first, other, third, fourth = found
            assert first["story_id"] == third["story_id"] == fourth["story_id"] == first["article_id"]
            assert (other["story_id"], other["similarity"]) == (other["article_id"], None)
            assert third["similarity"] > SIMILAR
            sightings = rows(store, "SELECT article_id FROM sightings ORDER BY locator")
            assert sightings[0] == sightings[4]
            (story,) = rows(store, f"SELECT articles FROM stories WHERE story_id = '{first['article_id']}'")
            assert story["articles"] == 3
