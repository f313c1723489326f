import hashlib
from pathlib import Path

import jieba
import pytest

from treaty_clauses import dictionary as module
from treaty_clauses.dictionary import Dictionary, build, jieba_source, load_dictionary, pack, unpack

SMALL = "停火 12 n\n停火協議 3 n\n停火 5 n\n".encode()
HASH = hashlib.sha256(SMALL).digest()


def test_words_and_their_beginnings_are_counted_as_jieba_does() -> None:
    found = build(SMALL)
    assert found == Dictionary({"停火": 5, "停": 0, "停火協議": 3, "停火協": 0}, 20)


def test_it_is_jieba_s_own_table() -> None:
    tokenizer = jieba.Tokenizer()
    with tokenizer.get_dict_file() as stream:
        frequencies, total = tokenizer.gen_pfdict(stream)
    assert load_dictionary(jieba_source()) == Dictionary(frequencies, total)


def test_what_is_packed_comes_back() -> None:
    assert unpack(pack(build(SMALL), source_hash=HASH), source_hash=HASH) == build(SMALL)


def test_a_damaged_file_or_one_of_another_dictionary_is_refused() -> None:
    packed = pack(build(SMALL), source_hash=HASH)
    with pytest.raises(ValueError, match="damaged"):
        unpack(packed[:-1] + bytes([packed[-1] ^ 1]), source_hash=HASH)
    with pytest.raises(ValueError, match="another version"):
        unpack(packed, source_hash=hashlib.sha256(b"").digest())


def test_another_dictionary_is_read_from_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_bytes(SMALL)
    assert load_dictionary(path) == build(SMALL)


def test_the_shipped_file_is_of_the_installed_jieba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "build", None)  # must not be needed
    assert load_dictionary(jieba_source()).frequencies["停火"]
