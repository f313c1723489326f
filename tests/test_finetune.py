import json
import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, BertTokenizer

from treaty_clauses.config import load_recipe
from treaty_clauses.counts import Counts, Tally
from treaty_clauses.encoder import EncoderConfig, HubEncoder
from treaty_clauses.errors import ConfigError, InputError, ModelError
from treaty_clauses.extract import Extractor, load
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.io import record_to_json
from treaty_clauses.score import Scores
from treaty_clauses.segment import Segmenter
from treaty_clauses.tagger import load_tagger
from treaty_clauses.training import finetune as finetune_module
from treaty_clauses.training import pretrain as pretrain_module
from treaty_clauses.training.augment import AugmentConfig
from treaty_clauses.training.checkpoint import export_encoder
from treaty_clauses.training.finetune import Training
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.training.hub import load_hub_encoder
from treaty_clauses.training.pretrain import EncoderShape, Phase, Pretraining, PretrainRecipe
from treaty_clauses.training.start import GoldSource, TrainRecipe, build_tagger
from treaty_clauses.training.stream import Source
from treaty_clauses.types import ArticleRecord
from treaty_clauses.vocabulary import SPECIAL, Vocabulary

HEADS = HeadsConfig(span_size=16, pair_size=8, document_layers=1, document_heads=2)


@pytest.fixture(autouse=True)
def shared_dictionaries(monkeypatch: pytest.MonkeyPatch, segmenter: Segmenter, gazetteer: Gazetteer) -> None:
    for module in (finetune_module, pretrain_module):
        monkeypatch.setattr(module, "Segmenter", lambda: segmenter)
    monkeypatch.setattr(finetune_module.Gazetteer, "load", lambda: gazetteer)
    monkeypatch.setattr(finetune_module, "_CALIBRATED", {"threshold_role": (0.3,)})  # each value is one more reading


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, gold: GoldArticle, vocabulary: Vocabulary) -> GoldSource:
    folder = tmp_path_factory.mktemp("gold")
    (folder / "texts").mkdir()
    (folder / "texts" / "harbor.txt").write_text(gold.article.text, encoding="utf-8")
    (folder / "gold.jsonl").write_text(record_to_json(gold.record) + "\n", encoding="utf-8")
    vocabulary.save(folder / "vocabulary.txt")
    return GoldSource(folder / "gold.jsonl", folder / "texts")


@pytest.fixture(scope="module")
def recipe(source: GoldSource) -> TrainRecipe:
    """Two steps: one epoch of the article twice, one article a step."""
    return TrainRecipe(
        train=(replace(source, share=2.0, last_share=2.0),),
        dev=(source,),
        vocabulary=source.records.parent / "vocabulary.txt",
        shape=EncoderConfig(vocabulary_size=0, hidden_size=16, layers=1, heads=2, intermediate_size=16, mixing_size=8),
        heads=HEADS,
        epochs=1,
        batch_chars=100,
        window_chars=64,
        context_chars=16,
        read_window_chars=64,
        read_context_chars=16,
        compile=False,
        threads=1,
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_tagger(folder).model.state_dict()


def test_two_steps_make_a_model_that_loads_and_extracts(
    recipe: TrainRecipe, tmp_path: Path, gold: GoldArticle, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "tagger"
    with caplog.at_level(logging.INFO):
        scores = Training(replace(recipe, version="two-steps"), folder).run()
    assert scores[0].total.tallies["clause"] is not None
    (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("epoch 1/1")]
    losses = [float(part) for part in line.split() if part.replace(".", "").isdigit()]
    assert losses
    assert all(math.isfinite(loss) for loss in losses)
    record = load(folder).extract_article(gold.article)
    assert isinstance(record, ArticleRecord)
    assert record.model == "two-steps"
    report = json.loads((folder / "training.json").read_text("utf-8"))
    assert report["recipe"]["epochs"] == 1
    assert report["articles"] == 1
    assert report["dev"]


def test_each_step_changes_every_part_of_the_network(recipe: TrainRecipe, tmp_path: Path) -> None:
    training = Training(replace(recipe, hide_hints=0.0), tmp_path)
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    optimizers = training._optimizers()
    losses = training._step(next(training._batches(training.train)), optimizers)
    assert all(math.isfinite(loss) for loss in losses.values())
    unmoved = [
        name
        for name, value in training.model.named_parameters()
        if torch.equal(value, before[name]) and value.numel() > 1
    ]
    unused = ["gazetteer.weight", "encoder.backbone.embeddings.tok_embeddings.weight"]  # invented names; no tokens
    assert sorted(set(unmoved) - set(unused)) == []


def test_frozen_layers_stay_as_they_are(recipe: TrainRecipe, tmp_path: Path) -> None:
    assert recipe.shape is not None
    training = Training(
        replace(recipe, shape=replace(recipe.shape, layers=2), frozen_layers=1, optimizer="muon", hide_hints=0.0), tmp_path
    )
    before = {name: value.clone() for name, value in training.model.named_parameters()}
    training._step(next(training._batches(training.train)), training._optimizers())
    moved = {name for name, value in training.model.named_parameters() if not torch.equal(value, before[name])}
    assert any(name.startswith("encoder.backbone.layers.1.") for name in moved)
    assert any(name.startswith("heads.") for name in moved)
    assert not any(
        name.startswith(("encoder.backbone.layers.0.", "encoder.characters", "encoder.mix", "gazetteer", "quantities"))
        for name in moved
    )


def test_more_layers_than_there_are_cannot_be_frozen(recipe: TrainRecipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="frozen_layers 2: the tagger's encoder is one of 1 layers"):
        Training(replace(recipe, frozen_layers=2), tmp_path)


def test_heads_read_the_spans_that_they_find_where_the_recipe_says_so(recipe: TrainRecipe, tmp_path: Path) -> None:
    training = Training(replace(recipe, predicted_spans=1.0), tmp_path)
    drawn = next(training._batches(training.train))[0]
    hidden = torch.randn(len(drawn.encoded), recipe.shape.hidden_size)  # type: ignore[union-attr]
    training.model.eval()
    found = training._example(drawn, hidden)
    training.recipe = recipe
    told = training._example(drawn, hidden)
    assert any(found.spans.count(layer) > told.spans.count(layer) for layer in told.spans.layers)  # untrained: at random
    assert (found.targets.tags == told.targets.tags).all()
    training.recipe = replace(recipe, predicted_spans=1.0)
    losses = training._step([drawn], training._optimizers())
    assert all(math.isfinite(loss) for loss in losses.values())


def test_muon_takes_the_matrices_of_the_layers_and_adamw_all_else(recipe: TrainRecipe, tmp_path: Path) -> None:
    training = Training(replace(recipe, optimizer="muon"), tmp_path)
    adamw, muon = training._optimizers()
    names = {id(value): name for name, value in training.model.named_parameters()}
    taken = {names[id(value)] for group in muon.param_groups for value in group["params"]}
    assert taken
    assert all("backbone.layers" in name for name in taken)
    rest = {names[id(value)] for group in adamw.param_groups for value in group["params"]}
    trained = {name for name, value in training.model.named_parameters() if value.requires_grad}
    assert taken | rest == trained
    assert not taken & rest


@pytest.mark.parametrize(("epoch", "times"), [(1, 3), (2, 2), (3, 1)])
def test_the_share_of_a_source_changes_from_epoch_to_epoch(
    recipe: TrainRecipe, tmp_path: Path, epoch: int, times: int
) -> None:
    source = replace(recipe.train[0], share=3.0, last_share=1.0)
    training = Training(replace(recipe, train=(source,), epochs=3), tmp_path)
    assert len(training._draw(epoch)) == times


def test_training_is_repeated_exactly_from_its_seed(recipe: TrainRecipe, tmp_path: Path) -> None:
    for name in ("one", "two"):
        Training(recipe, tmp_path / name).run()
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.equal(first[name], second[name]) for name in first)
    Training(replace(recipe, seed=8), tmp_path / "three").run()
    third = weights(tmp_path / "three")
    assert not all(torch.equal(first[name], third[name]) for name in first)


def test_it_learns_an_article_by_heart(recipe: TrainRecipe, tmp_path: Path) -> None:
    recipe = replace(
        recipe,
        train=(replace(recipe.train[0], share=4.0, last_share=4.0),),
        epochs=12,
        evaluate_every=12,
        encoder_rate=5e-3,
        head_rate=5e-3,
        average=0.0,
        augmentation=AugmentConfig(0.0, 0.0, 0.0),
        heads=replace(HEADS, span_size=32, dropout=0.0),
        encoder_dropout=0.0,
        shape=EncoderConfig(0, hidden_size=32, layers=1, heads=2, intermediate_size=32, mixing_size=16),
    )
    scores = Training(recipe, tmp_path).run()
    assert (scores[0].total.tallies["clause"].f1 or 0) > 0.7
    assert (scores[0].total.tallies["term"].f1 or 0) > 0.7


def test_what_was_hidden_is_hidden_at_the_rate_of_the_recipe(recipe: TrainRecipe, tmp_path: Path) -> None:
    training = Training(replace(recipe, hide_characters=1.0, hide_hints=1.0), tmp_path)
    encoded = training.encoder.encode("東礁與西礁停火30天")
    hidden = training._hide(encoded)
    assert (hidden.characters == 3).all()
    assert not hidden.quantities.any()
    assert encoded.quantities.any(), "the article's own arrays are left alone"


def test_an_unknown_recipe_key_is_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "tagger.toml"
    path.write_text("train = []\ndev = []\nlearning = 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tagger\.toml: unknown key 'learning'"):
        load_recipe(path, TrainRecipe)


def test_a_recipe_with_two_starts_is_a_config_error(recipe: TrainRecipe) -> None:
    with pytest.raises(ConfigError, match="more than one start"):
        build_tagger(replace(recipe, hub="bert"))


def test_a_recipe_without_a_start_is_a_config_error(recipe: TrainRecipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must name `encoder`, `hub` or `tagger`, or both"):
        Training(replace(recipe, shape=None), tmp_path)


@pytest.mark.parametrize("part", ["train", "dev"])
def test_a_recipe_without_articles_is_a_config_error(recipe: TrainRecipe, tmp_path: Path, part: str) -> None:
    with pytest.raises(ConfigError, match="article"):
        Training(replace(recipe, **{part: ()}), tmp_path)  # type: ignore[arg-type]


def test_a_device_that_is_not_there_is_a_config_error(recipe: TrainRecipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="abacus"):
        Training(replace(recipe, device="abacus"), tmp_path)


def test_missing_texts_are_named(recipe: TrainRecipe, tmp_path: Path) -> None:
    missing = replace(recipe.train[0], texts=tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere: no such folder or file"):
        Training(replace(recipe, train=(missing,)), tmp_path)


@pytest.fixture
def pretrained(tmp_path: Path, harbor_text: str) -> Path:
    path = tmp_path / "corpus.jsonl"
    rows = [json.dumps({"text": harbor_text[start:] + harbor_text[:start]}) for start in range(0, 200, 20)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    recipe = PretrainRecipe(
        sources=(Source("harbor", str(path), 1.0),),
        phases=(Phase(10_000, 40, 4),),
        encoder=EncoderShape(hidden_size=16, layers=1, heads=2, intermediate_size=16),
        vocabulary_floor=1,
        compile=False,
        threads=1,
    )
    Pretraining(recipe, tmp_path / "run").run(max_steps=2)
    export_encoder(tmp_path / "run", tmp_path / "encoder")
    return tmp_path / "encoder"


def test_a_pretrained_encoder_is_the_start(recipe: TrainRecipe, pretrained: Path, tmp_path: Path) -> None:
    recipe = replace(recipe, encoder=pretrained, shape=None, vocabulary=None)
    model, vocabulary = build_tagger(recipe)
    assert vocabulary == Vocabulary.load(pretrained / "vocabulary.txt")
    for name, value in load_file(pretrained / "model.safetensors").items():
        assert torch.equal(model.encoder.state_dict()[name], value.float()), name
    Training(recipe, tmp_path / "tagger").run()
    assert load_tagger(tmp_path / "tagger").config.encoder is not None


def test_a_trained_tagger_is_the_start(recipe: TrainRecipe, tmp_path: Path) -> None:
    Training(recipe, tmp_path / "first").run()
    settings = {"tagger": tmp_path / "first", "shape": None, "vocabulary": None, "encoder_dropout": 0.3, "version": "second"}
    model, vocabulary = build_tagger(replace(recipe, **settings))  # type: ignore[arg-type]
    first = load_tagger(tmp_path / "first")
    assert vocabulary == first.vocabulary
    assert first.config.calibration
    assert (model.config.calibration, model.config.version) == ({}, "second")
    assert model.config.encoder is not None
    assert model.config.encoder.dropout == 0.3
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in first.model.state_dict().items())


def test_a_stage_without_epochs_fits_the_count_of_bearers_alone(recipe: TrainRecipe, tmp_path: Path) -> None:
    Training(recipe, tmp_path / "first").run()
    heads = replace(recipe.heads, count_bearers=True)
    second = replace(recipe, tagger=tmp_path / "first", shape=None, vocabulary=None, epochs=0, heads=heads)
    before = build_tagger(second)[0].state_dict()
    Training(second, tmp_path / "second").run()
    old, new = load_tagger(tmp_path / "first").model, load_tagger(tmp_path / "second").model
    assert all(torch.equal(value, new.state_dict()[name]) for name, value in old.state_dict().items())
    assert new.config.heads.count_bearers
    name = "heads.classifiers.bearers.3.weight"
    assert not torch.allclose(new.state_dict()[name], before[name], atol=1e-3)


def test_a_trained_tagger_of_a_hugging_face_encoder_is_no_start(recipe: TrainRecipe, bert: Path, tmp_path: Path) -> None:
    Training(replace(recipe, hub=str(bert), shape=None, vocabulary=None), tmp_path / "first").run()
    with pytest.raises(ConfigError, match="Hugging Face"):
        build_tagger(replace(recipe, tagger=tmp_path / "first", shape=None))


def test_word_vectors_that_the_trained_tagger_has_not_are_a_config_error(recipe: TrainRecipe, tmp_path: Path) -> None:
    Training(recipe, tmp_path / "first").run()
    (tmp_path / "words").mkdir()
    save_file({"vectors": torch.ones(3, 4)}, tmp_path / "words" / "vectors.safetensors")
    (tmp_path / "words" / "words.txt").write_text("停火\n撤軍\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="leave `words` out"):
        build_tagger(replace(recipe, tagger=tmp_path / "first", shape=None, words=tmp_path / "words"))


def test_a_part_of_the_articles_lies_within_a_larger_part() -> None:
    names = [f"article-{number}" for number in range(400)]
    parts = {share: {n for n in names if GoldSource(Path("a"), Path("b"), part=share).has(n)} for share in (0, 0.25, 0.5, 1)}
    assert not parts[0]
    assert parts[0.25] < parts[0.5] < parts[1] == set(names)
    assert 70 < len(parts[0.25]) < 130


def test_sources_of_dev_count_alike(recipe: TrainRecipe, tmp_path: Path) -> None:
    good, bad = Counts(record=Tally(8, 0, 0)), Counts(record=Tally(0, 100, 100))
    merit = finetune_module._figure_of_merit([Scores((good,)), Scores((bad, bad))])
    assert merit == pytest.approx(0.5)
    training = Training(replace(recipe, dev=recipe.dev * 2), tmp_path)
    assert len(training.run()) == 2


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocabulary.txt"])
@pytest.mark.parametrize("damage", ["cut", "missing", "other"])
def test_a_damaged_pretrained_encoder_is_a_model_error(
    recipe: TrainRecipe, pretrained: Path, name: str, damage: str
) -> None:
    path = pretrained / name
    whole = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 3])
    elif damage == "other":
        other = {"config.json": b'{"hidden_size": 12}', "model.safetensors": b"", "vocabulary.txt": b"[PAD]\n"}
        path.write_bytes(other[name])
    with pytest.raises(ModelError, match=str(pretrained)):
        build_tagger(replace(recipe, encoder=pretrained, shape=None))


def test_weights_of_another_shape_are_a_model_error(recipe: TrainRecipe, pretrained: Path) -> None:
    path = pretrained / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"hidden_size": 32}), "utf-8")
    with pytest.raises(ModelError, match=str(pretrained)):
        build_tagger(replace(recipe, encoder=pretrained, shape=None))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory, harbor_text: str) -> Path:
    """A tiny BERT for Chinese as hubs hold them: random weights, single characters and a few word pieces."""
    folder = tmp_path_factory.mktemp("hub") / "bert"
    folder.mkdir()
    characters = sorted(set(harbor_text) - set("\n\u3000"))
    words = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, "##礁", "hello", "##ing"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_a_hugging_face_encoder_keeps_the_rows_of_its_characters(bert: Path, harbor_text: str) -> None:
    encoder, table, vocabulary = load_hub_encoder(str(bert))
    tokenizer = BertTokenizer.from_pretrained(bert)
    original = BertModel.from_pretrained(bert).get_input_embeddings().weight
    assert vocabulary.characters[: len(SPECIAL)] == SPECIAL
    assert "hello" not in vocabulary.characters
    assert set(vocabulary.characters[len(SPECIAL) :]) <= set(harbor_text)
    mine = encoder.backbone.get_input_embeddings().weight
    for character in "礁灣停":
        index = int(vocabulary.encode(character)[0])
        assert torch.equal(mine[index], original[tokenizer.convert_tokens_to_ids(character)])
    assert torch.equal(mine[3], original[tokenizer.mask_token_id])
    assert table["vocab_size"] == len(vocabulary)


def test_a_hugging_face_encoder_is_trained_saved_and_loaded(
    recipe: TrainRecipe, bert: Path, tmp_path: Path, gold: GoldArticle, segmenter: Segmenter, gazetteer: Gazetteer
) -> None:
    recipe = replace(recipe, hub=str(bert), shape=None, vocabulary=None)
    Training(recipe, tmp_path / "tagger").run()
    tagger = load_tagger(tmp_path / "tagger")
    assert isinstance(tagger.model.encoder, HubEncoder)
    record = Extractor(tagger, segmenter, gazetteer).extract_article(gold.article)
    assert record.article.id == "harbor"


@pytest.mark.parametrize("problem", ["missing", "no model", "cut"])
def test_a_hugging_face_encoder_that_cannot_be_read_is_a_model_error(bert: Path, tmp_path: Path, problem: str) -> None:
    folder = tmp_path / "bert"
    if problem != "missing":
        folder.mkdir()
        for path in bert.iterdir():
            data = path.read_bytes()
            if path.suffix == ".safetensors":
                if problem == "no model":
                    continue
                data = data[: len(data) // 2]
            (folder / path.name).write_bytes(data)
    with pytest.raises(ModelError, match="cannot load this Hugging Face encoder"):
        load_hub_encoder(str(folder))


def test_a_tokenizer_without_single_characters_is_refused(bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    BertModel(
        BertConfig(vocab_size=7, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).save_pretrained(folder)
    with pytest.raises(ModelError, match="knows no single characters"):
        load_hub_encoder(str(folder))


def test_the_learning_rate_warms_up_and_falls() -> None:
    scales = [finetune_module._schedule(step / 100, 0.1) for step in range(100)]
    assert scales[0] == pytest.approx(0.01)
    assert scales[5] == pytest.approx(0.5)
    assert max(scales) == pytest.approx(1.0)
    assert np.argmax(scales) in (9, 10)
    assert scales[-1] == pytest.approx(0.05, abs=0.01)
