import json
import logging
import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from treaty_clauses.errors import InputError
from treaty_clauses.segment import Segmenter
from treaty_clauses.training.stream import (
    Source,
    StreamState,
    WindowStream,
    held_out_documents,
    is_held_out,
    read_documents,
)
from treaty_clauses.vocabulary import SEPARATOR, SPECIAL, Vocabulary

LETTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黃宇宙洪荒"
VOCABULARY = Vocabulary((*SPECIAL, *LETTERS))


def document(number: int, *, length: int = 80) -> str:
    """A text of its own for each number."""
    rng = np.random.default_rng(number)
    return "".join(rng.choice(list(LETTERS), length))


TEXTS = [text for text in map(document, range(60)) if not is_held_out(text)][:40]


def corpus(path: Path, texts: list[str]) -> Source:
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
    return Source(path.stem, str(path), 1.0)


def stream(sources: list[Source], segmenter: Segmenter, state: StreamState | None = None) -> WindowStream:
    return WindowStream(tuple(sources), VOCABULARY, segmenter, state)


def read_text(windows: np.ndarray) -> str:
    return "".join("|" if i == SEPARATOR else VOCABULARY.characters[i] for i in windows.reshape(-1))


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.xz", "parquet"])
def test_documents_come_in_order_from_each_kind_of_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"corpus.{kind}"
    lines = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(TEXTS))
    if kind == "parquet":
        pq.write_table(pa.table({"text": TEXTS, "id": list(range(len(TEXTS)))}), path)
    elif kind == "jsonl.xz":
        path.write_bytes(lzma.compress(lines.encode()))
    else:
        path.write_text(lines, encoding="utf-8")
    source = Source("corpus", str(path), 1.0)
    assert list(read_documents(source)) == TEXTS
    assert list(read_documents(source, skip=7)) == TEXTS[7:]


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.jsonl: corpus file of source 'news' not found; mend the recipe"):
        list(read_documents(Source("news", str(tmp_path / "no.jsonl"), 1.0)))


def test_a_line_that_cannot_be_read_is_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "corpus.jsonl"
    lines = [json.dumps({"text": TEXTS[0]}), '{"text": "half', '["list"]', '{"id": 3}', json.dumps({"text": TEXTS[1]})]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        found = [text for text in read_documents(Source("corpus", str(path), 1.0)) if text]
    assert found == TEXTS[:2]
    assert [record.message.split(": ")[0] for record in caplog.records] == [f"{path}:{n}" for n in (2, 3, 4)]


def test_bytes_of_another_encoding_are_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "corpus.jsonl"
    lines = [json.dumps({"text": text}).encode() for text in TEXTS[:2]]
    path.write_bytes(b"\n".join([lines[0], '{"text": "停火協議"}'.encode("big5"), lines[1]]) + b"\n")
    with caplog.at_level(logging.WARNING):
        found = [text for text in read_documents(Source("corpus", str(path), 1.0)) if text]
    assert found == TEXTS[:2]
    assert f"{path}:2" in caplog.text


@pytest.mark.parametrize("kind", ["jsonl.xz", "parquet"])
def test_a_damaged_corpus_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"corpus.{kind}"
    path.write_bytes(b"this is no archive")
    with pytest.raises(InputError, match=r"corpus\."):
        list(read_documents(Source("corpus", str(path), 1.0)))


def test_a_table_without_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"body": TEXTS[:2]}), path)
    with pytest.raises(InputError, match=r"corpus\.parquet"):
        list(read_documents(Source("corpus", str(path), 1.0)))


def test_windows_hold_every_document_once_joined_by_separators(tmp_path: Path, segmenter: Segmenter) -> None:
    windows, boundaries = stream([corpus(tmp_path / "a.jsonl", TEXTS)], segmenter).next_batch(20, 80)
    assert windows.dtype == np.uint16
    assert boundaries.dtype == np.uint8
    assert windows.shape == boundaries.shape == (20, 80)
    documents = read_text(windows).split("|")
    assert documents[:-1] == TEXTS[: len(documents) - 1]
    assert (boundaries > 0).all()


def test_short_repeated_and_held_out_documents_are_left_out(tmp_path: Path, segmenter: Segmenter) -> None:
    kept_out = next(text for text in map(document, range(10_000)) if is_held_out(text))
    texts = [TEXTS[0], "甲乙丙", TEXTS[0], kept_out, TEXTS[1]]
    windows, _ = stream([corpus(tmp_path / "a.jsonl", texts)], segmenter).next_batch(1, 162)
    assert read_text(windows) == f"{TEXTS[0]}|{TEXTS[1]}|"
    assert held_out_documents(corpus(tmp_path / "b.jsonl", texts), most=5) == [kept_out]


def test_a_source_starts_again_at_its_end(tmp_path: Path, segmenter: Segmenter) -> None:
    reader = stream([corpus(tmp_path / "a.jsonl", TEXTS[:2])], segmenter)
    windows, _ = reader.next_batch(1, 243)
    assert read_text(windows) == f"{TEXTS[0]}|{TEXTS[1]}|{TEXTS[0]}|"
    assert reader.state.cursors["a"].epochs == 1


def test_a_source_without_usable_documents_is_named_not_read_for_ever(tmp_path: Path, segmenter: Segmenter) -> None:
    reader = stream([corpus(tmp_path / "a.jsonl", ["甲", "乙"])], segmenter)
    with pytest.raises(InputError, match="source 'a' holds no usable document"):
        reader.next_batch(1, 10)


def test_sources_are_drawn_by_weight(tmp_path: Path, segmenter: Segmenter) -> None:
    big, small = corpus(tmp_path / "big.jsonl", TEXTS[:20]), corpus(tmp_path / "small.jsonl", TEXTS[20:])
    reader = stream([Source("big", big.path, 3.0), Source("small", small.path, 1.0)], segmenter)
    reader.next_batch(40, 20)
    assert reader.state.characters == {"big": 600, "small": 200}


def test_a_stream_goes_on_exactly_where_it_stopped(tmp_path: Path, segmenter: Segmenter) -> None:
    sources = [corpus(tmp_path / "a.jsonl", TEXTS[:20]), corpus(tmp_path / "b.jsonl", TEXTS[20:])]
    whole = stream(sources, segmenter)
    expected = [whole.next_batch(3, 50) for _ in range(12)]
    first = stream(sources, segmenter)
    for _ in range(5):
        first.next_batch(3, 50)
    state = json.loads(json.dumps({"state": first.state.to_table(), "pending": first.pending()}))
    second = stream(sources, segmenter, StreamState.from_table(state["state"]))
    second.restore_pending(state["pending"])
    for characters, boundaries in expected[5:]:
        found = second.next_batch(3, 50)
        assert (found[0] == characters).all()
        assert (found[1] == boundaries).all()


def test_a_repetition_across_the_interruption_is_still_left_out(tmp_path: Path, segmenter: Segmenter) -> None:
    source = corpus(tmp_path / "a.jsonl", [*TEXTS[:5], TEXTS[0], *TEXTS[5:8]])
    whole = stream([source], segmenter)
    expected = [whole.next_batch(1, 81) for _ in range(8)]
    first = stream([source], segmenter)
    for _ in range(3):
        first.next_batch(1, 81)
    second = stream([source], segmenter, StreamState.from_table(json.loads(json.dumps(first.state.to_table()))))
    second.restore_pending(first.pending())
    for characters, _ in expected[3:]:
        assert read_text(second.next_batch(1, 81)[0]) == read_text(characters)


def test_a_long_document_is_read_whole(tmp_path: Path, segmenter: Segmenter) -> None:
    text = document(3, length=45_000)
    windows, _ = stream([corpus(tmp_path / "a.jsonl", [text])], segmenter).next_batch(450, 100)
    assert read_text(windows).replace("|", "") in text
    assert read_text(windows).count("|") == 2


def test_a_source_with_words_reads_only_documents_about_them(tmp_path: Path, segmenter: Segmenter) -> None:
    filler = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏" * 3
    path = tmp_path / "news.jsonl"
    texts = [f"停火{filler}", f"停火與撤軍{filler}", f"撤軍撤軍{filler}", f"球賽{filler}"]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    source = Source("news", str(path), 1.0, words=("停火", "撤軍"), different_words=2)
    assert [source.admits(text) for text in texts] == [False, True, False, False]
    vocabulary = Vocabulary.from_counts([(character, 9) for character in set("".join(texts))], floor=1)
    stream = WindowStream((source,), vocabulary, segmenter)
    characters, _ = stream.next_batch(1, len(texts[1]))
    assert characters[0].tolist() == vocabulary.encode(texts[1]).tolist()


def test_documents_that_an_earlier_training_read_are_left_out_until_the_file_begins_anew(tmp_path: Path) -> None:
    source = replace(corpus(tmp_path / "a.jsonl", TEXTS[:5]), skip=3)
    stream = WindowStream((source,), VOCABULARY, Segmenter())
    read = [VOCABULARY.encode(text).tolist() for text in TEXTS[:5]]
    seen = [stream.next_batch(1, 81)[0][0, :80].tolist() for _ in range(4)]
    assert seen == [read[3], read[4], read[0], read[1]]
