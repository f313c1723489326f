import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from treaty_clauses import tagger as tagger_module
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.encoder import EncoderConfig
from treaty_clauses.errors import ModelError
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.segment import Segmenter
from treaty_clauses.tagger import FixedShape, Tagger, TaggerConfig, TorchTagger, load_tagger, save_tagger
from treaty_clauses.vocabulary import SPECIAL, Vocabulary
from treaty_clauses.words import WordTable, spell


@pytest.fixture(scope="module")
def encoded(article_encoder: ArticleEncoder, harbor_text: str) -> Encoded:
    return article_encoder.encode(harbor_text * 2)


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def read(tagger: TorchTagger, encoded: Encoded, *, fixed: FixedShape | None = None) -> torch.Tensor:
    with torch.inference_mode():
        return tagger.model.read([encoded], window_chars=64, context_chars=16, fixed=fixed)[0]


def test_what_is_saved_is_what_is_loaded(tagger: TorchTagger, folder: Path, encoded: Encoded) -> None:
    again = load_tagger(folder)
    again._bf16 = False
    assert again.config == tagger.config
    assert again.vocabulary == tagger.vocabulary
    assert np.array_equal(again.read(encoded).tags, tagger.read(encoded).tags)


def test_saving_what_was_loaded_changes_no_byte(tagger: TorchTagger, folder: Path, tmp_path: Path) -> None:
    save_tagger(load_tagger(folder).model, tagger.vocabulary, tmp_path / "again")
    for path in sorted(folder.iterdir()):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_every_setting_comes_back(tmp_path: Path, tiny_config: TaggerConfig, vocabulary: Vocabulary) -> None:
    config = replace(tiny_config, use_boundaries=False, calibration={"bias_term": 0.5}, version="v7")
    save_tagger(Tagger(config), vocabulary, tmp_path)
    assert load_tagger(tmp_path).config == config


def test_the_processors_own_precision_reads_the_same_tags(folder: Path, tagger: TorchTagger, encoded: Encoded) -> None:
    default = load_tagger(folder).read(encoded).tags
    assert (default.argmax(-1) == tagger.read(encoded).tags.argmax(-1)).mean() > 0.98


@pytest.mark.parametrize("batch_chars", [1, 200, 100_000])
def test_how_windows_are_batched_makes_no_difference(
    tagger: TorchTagger, encoded: Encoded, monkeypatch: pytest.MonkeyPatch, batch_chars: int
) -> None:
    expected = read(tagger, encoded)
    monkeypatch.setattr(tagger_module, "_BATCH_CHARS", batch_chars)
    assert torch.allclose(read(tagger, encoded), expected, atol=1e-4)


@pytest.mark.parametrize("windows", [1, 3, 50])
def test_the_fixed_shape_of_training_reads_the_same(tagger: TorchTagger, encoded: Encoded, windows: int) -> None:
    shapes = set()

    def network(*inputs: torch.Tensor) -> torch.Tensor:
        shapes.add(tuple(inputs[0].shape))
        hidden: torch.Tensor = tagger.model(*inputs)
        return hidden

    found = read(tagger, encoded, fixed=FixedShape(network, (windows,)))
    assert torch.allclose(found, read(tagger, encoded), atol=1e-4)
    assert shapes == {(windows, 64)}


def test_articles_read_together_are_as_if_read_alone(
    tagger: TorchTagger, article_encoder: ArticleEncoder, harbor_text: str
) -> None:
    texts = [harbor_text, "", "停", harbor_text[:90]]
    articles = [article_encoder.encode(text) for text in texts]
    with torch.inference_mode():
        together = tagger.model.read(articles, window_chars=64, context_chars=16)
    assert [len(hidden) for hidden in together] == [len(text) for text in texts]
    for hidden, article in zip(together, articles, strict=True):
        assert torch.allclose(hidden, read(tagger, article), atol=1e-4)


def test_articles_that_share_windows_do_not_see_one_another(
    tagger: TorchTagger, article_encoder: ArticleEncoder, harbor_text: str
) -> None:
    articles = [article_encoder.encode(text) for text in (harbor_text[:40], harbor_text[40:75], harbor_text[75:90])]
    fixed = FixedShape(tagger.model, (1,))
    with torch.inference_mode():
        together = tagger.model.read(articles, window_chars=1024, context_chars=16, fixed=fixed)
        alone = [tagger.model.read([a], window_chars=1024, context_chars=16, fixed=fixed)[0] for a in articles]
    for hidden, expected in zip(together, alone, strict=True):
        assert torch.allclose(hidden, expected, atol=1e-4)


def test_switched_off_hints_are_not_looked_at(tagger: TorchTagger, encoded: Encoded) -> None:
    config = replace(tagger.config, use_boundaries=False, use_gazetteer=False, use_quantities=False)
    model = Tagger(config)
    model.load_state_dict(tagger.model.state_dict())
    deaf = TorchTagger(model, tagger.vocabulary)
    deaf._bf16 = False
    blank = replace(
        encoded,
        boundaries=np.zeros_like(encoded.boundaries),
        gazetteer=np.zeros_like(encoded.gazetteer),
        quantities=np.zeros_like(encoded.quantities),
    )
    assert np.array_equal(deaf.read(encoded).tags, deaf.read(blank).tags)
    assert not np.array_equal(tagger.read(encoded).tags, tagger.read(blank).tags)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocabulary.txt"])
def test_a_folder_with_a_file_missing_names_the_remedy(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match="restore the"):
        load_tagger(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocabulary.txt"])
@pytest.mark.parametrize("damage", ["cut", "zeros", "empty"])
def test_a_damaged_file_is_a_model_error_that_names_the_folder(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "zeros": b"\0" * len(whole), "empty": b""}[damage])
    with pytest.raises(ModelError, match=str(folder)):
        load_tagger(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"heads": {"span_sizes": 3}},
        {"encoder": None},
        {"encoder": {"vocabulary_size": 7}},
        {"surprise": 1},
        {"heads": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_config_of_another_make_is_a_model_error(folder: Path, change: dict[str, object]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(ModelError, match=str(folder)):
        load_tagger(folder)


def test_a_config_that_is_no_object_is_a_model_error(folder: Path) -> None:
    (folder / "config.json").write_text("[]")
    with pytest.raises(ModelError, match=str(folder)):
        load_tagger(folder)


def test_a_vocabulary_of_another_size_is_a_model_error(folder: Path) -> None:
    path = folder / "vocabulary.txt"
    path.write_text(path.read_text("utf-8") + "龘\n", "utf-8")
    with pytest.raises(ModelError, match="vocabulary"):
        load_tagger(folder)


def test_the_configuration_is_plain_json(tiny_config: TaggerConfig, folder: Path) -> None:
    table = json.loads((folder / "config.json").read_text("utf-8"))
    assert table.pop("format") == 2
    assert table == asdict(tiny_config)


def test_word_vectors_are_saved_and_read(tmp_path: Path, segmenter: Segmenter, gazetteer: Gazetteer) -> None:
    """A tagger with word vectors and votes comes back the same, and tells texts apart by their words alone."""
    torch.manual_seed(6)
    table = WordTable([spell("停火"), spell("撤軍")])
    shape = EncoderConfig(vocabulary_size=30, hidden_size=16, layers=1, heads=2, intermediate_size=16)
    heads = HeadsConfig(span_size=8, pair_size=4, document_layers=1, document_heads=2, use_bags=True)
    model = Tagger(TaggerConfig(encoder=shape, heads=heads, word_count=len(table), word_size=3))
    assert model.words is not None
    torch.nn.init.normal_(model.words.weight)
    torch.nn.init.normal_(model.word_input.weight)
    vocabulary = Vocabulary((*SPECIAL, *"abcdefghijklmnopqrstuvwxyz"))
    save_tagger(model, vocabulary, tmp_path, table)
    loaded = load_tagger(tmp_path)
    assert loaded.words is not None
    encoder = ArticleEncoder(loaded.vocabulary, segmenter, gazetteer, loaded.words)
    first, second = (loaded.read(encoder.encode(text)) for text in ("兩國停火", "兩國撤軍"))
    assert first.words.shape == (4, 3)
    assert torch.allclose(first.words[2], model.words.weight[1], atol=1e-2)
    assert not np.allclose(first.tags, second.tags)
    (tmp_path / "words.txt").write_text("停火\n", encoding="utf-8")
    with pytest.raises(ModelError, match="word list"):
        load_tagger(tmp_path)
