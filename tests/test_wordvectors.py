import json
from pathlib import Path

import pytest
import torch

from treaty_clauses.errors import InputError, ModelError
from treaty_clauses.training.stream import Source, is_held_out
from treaty_clauses.training.wordvectors import VectorRecipe, read_vectors, segmented, train_vectors
from treaty_clauses.words import UNKNOWN

TEXTS = [f"第{n}天，雙方同意停火，軍隊撤出邊境。\n代表在會議上簽署停火協議，軍隊開始撤出。" for n in range(60)]


@pytest.fixture
def recipe(tmp_path: Path) -> VectorRecipe:
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in TEXTS), "utf-8")
    sources = (Source("news", str(path), 1.0),)
    return VectorRecipe(sources, characters=10**6, words=50, size=4, window=2, epochs=1, threads=1)


def test_words_and_vectors_belong_together(recipe: VectorRecipe, tmp_path: Path) -> None:
    train_vectors(recipe, tmp_path / "words")
    table, vectors = read_vectors(tmp_path / "words")
    assert vectors.shape == (len(table), 4)
    assert not vectors[UNKNOWN].any()
    assert torch.isfinite(vectors).all()
    row = table.rows("停火", [(0, 2)])[0]
    assert row != UNKNOWN
    assert vectors[int(row)].any()


def test_a_seed_gives_the_same_vectors(recipe: VectorRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("first", "second"):
        train_vectors(recipe, tmp_path / name)
        found.append((tmp_path / name / "vectors.safetensors").read_bytes())
    assert found[0] == found[1]


def test_no_more_is_read_than_asked_for_and_nothing_held_out(recipe: VectorRecipe) -> None:
    lines = list(segmented(VectorRecipe(recipe.sources, characters=150)))
    assert 150 <= sum(len(line.replace(" ", "")) for line in lines) <= 250
    expected = [text for text in TEXTS if not is_held_out(text)]
    everything = list(segmented(recipe))
    assert len(everything) == 2 * len(expected)


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    recipe = VectorRecipe((Source("news", str(tmp_path / "none.jsonl"), 1.0),), characters=10)
    with pytest.raises(InputError, match=r"none\.jsonl"):
        train_vectors(recipe, tmp_path / "words")


def test_damaged_vectors_are_named(recipe: VectorRecipe, tmp_path: Path) -> None:
    folder = tmp_path / "words"
    train_vectors(recipe, folder)
    (folder / "vectors.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="words"):
        read_vectors(folder)
    train_vectors(recipe, folder)
    with (folder / "words.txt").open("a", encoding="utf-8") as stream:
        stream.write("more\n")
    with pytest.raises(ModelError, match="rows"):
        read_vectors(folder)
