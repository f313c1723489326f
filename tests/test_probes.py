"""The probes of an encoder (`benchmarks/probes.py`), on a few sentences."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import probes
import pytest
import torch
from safetensors.torch import save_file

from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.vocabulary import SPECIAL, Vocabulary

TRUCE, REFUSAL = "甲國  同意  停火  。", "乙國\u3000拒絕  。"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.utf8"
    path.write_text(f"{TRUCE}\n\n{REFUSAL}\n", encoding="utf-8-sig")
    return path


@pytest.fixture
def entities(tmp_path: Path) -> Path:
    folder = tmp_path / "entities"
    folder.mkdir()
    (folder / "sentences.txt").write_text("乌 克 兰 与 俄 国 谈\n甲 乙\n", encoding="utf-8")
    (folder / "tags.txt").write_text("B-LOC I-LOC I-LOC O B-LOC I-LOC O\nO\n", encoding="utf-8")
    return folder


def test_words_become_spans_of_one_label(words: Path) -> None:
    first, second = probes.read_words(words)
    assert first == probes.Sentence("甲國同意停火。", {(0, 2, 0), (2, 4, 0), (4, 6, 0), (6, 7, 0)})
    assert second.text == "乙國拒絕。"


def test_entities_are_converted_and_sentences_whose_tags_do_not_fit_are_left_out(entities: Path) -> None:
    labels: dict[str, int] = {}
    (sentence,) = probes.read_entities(entities, labels)
    assert sentence == probes.Sentence("烏克蘭與俄國談", {(0, 3, 0), (4, 6, 0)})
    assert labels == {"LOC": 0}


def test_f1_counts_spans_and_its_interval_holds_it() -> None:
    gold = [probes.Sentence("甲乙", {(0, 1, 0), (1, 2, 0)}), probes.Sentence("丙", {(0, 1, 0)})]
    value, low, high = probes.f1_with_interval(gold, [{(0, 1, 0), (1, 2, 0)}, {(0, 1, 1)}])
    assert value == pytest.approx(2 / 3)
    assert low == 0.0
    assert high == 1.0


def test_a_probe_learns_to_cut_words(tmp_path: Path, words: Path) -> None:
    torch.manual_seed(0)
    config = EncoderConfig(vocabulary_size=0, hidden_size=32, layers=1, heads=2, intermediate_size=32, mixing_size=16)
    vocabulary = Vocabulary((*SPECIAL, *sorted(set("甲乙國同意停火拒絕。"))))
    config = EncoderConfig(**(asdict(config) | {"vocabulary_size": len(vocabulary)}))
    vocabulary.save(tmp_path / "vocabulary.txt")
    (tmp_path / "config.json").write_text(json.dumps(asdict(config)), encoding="utf-8")
    save_file({n: v.contiguous() for n, v in CharEncoder(config).state_dict().items()}, tmp_path / "model.safetensors")
    sentences = list(probes.read_words(words)) * 8
    task = probes.Task(sentences, sentences[:2], labels=1, told=False)
    reader = probes.Reader(vocabulary, task)
    encoder = probes.load_encoder(tmp_path, random=False)
    fresh = probes.load_encoder(tmp_path, random=True)
    assert not torch.equal(encoder.characters.weight, fresh.characters.weight)
    probe = probes.train(encoder, reader, seed=1, epochs=60)
    assert probes.f1_with_interval(task.test, probes.predict(probe, reader))[0] > 0.9


def test_jieba_is_measured_on_the_same_spans(words: Path) -> None:
    sentences = list(probes.read_words(words))
    assert probes.jieba_words(sentences)[0] == sentences[0].spans


def test_padding_is_not_read(tmp_path: Path, words: Path) -> None:
    vocabulary = Vocabulary((*SPECIAL, *"甲乙國"))
    sentences = list(probes.read_words(words))
    reader = probes.Reader(vocabulary, probes.Task(sentences, sentences, labels=1, told=True))
    characters, boundaries = reader.encode(sentences)
    assert characters.shape == (2, 7)
    assert np.flatnonzero(characters[1].numpy()).tolist() == list(range(5))
    assert not boundaries[1, 5:].any()
    assert not reader.tags(sentences, 7)[1, 5:].any()
