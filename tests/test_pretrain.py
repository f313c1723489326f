import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.errors import ConfigError, InputError, ModelError
from treaty_clauses.segment import Segmenter
from treaty_clauses.training import checkpoint as checkpoint_module
from treaty_clauses.training import pretrain as pretrain_module
from treaty_clauses.training.checkpoint import export_encoder
from treaty_clauses.training.objectives import OBJECTIVES, GeneratorShape
from treaty_clauses.training.pretrain import EncoderShape, Phase, Pretraining, PretrainRecipe, build_vocabulary
from treaty_clauses.training.stream import Source, is_held_out
from treaty_clauses.vocabulary import SPECIAL, Vocabulary

LETTERS = list("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳")


@pytest.fixture(autouse=True)
def one_segmenter(monkeypatch: pytest.MonkeyPatch, segmenter: Segmenter) -> None:
    """Its dictionary takes half a second to read."""
    monkeypatch.setattr(pretrain_module, "Segmenter", lambda: segmenter)


def document(number: int) -> str:
    return "".join(np.random.default_rng(number).choice(LETTERS, 90))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, ...]:
    folder = tmp_path_factory.mktemp("corpus")
    found = []
    for name, numbers in (("news", range(40)), ("laws", range(40, 60))):
        texts = [document(number) for number in numbers]
        texts.append(next(text for text in map(document, range(1000, 9000)) if is_held_out(text)))
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*texts, texts[0]]), encoding="utf-8")
        found.append(Source(name, str(path), 1.0))
    return tuple(found)


@pytest.fixture(scope="module")
def recipe(sources: tuple[Source, ...]) -> PretrainRecipe:
    return PretrainRecipe(
        sources=sources,
        phases=(Phase(900, 30, 4), Phase(12_000, 60, 4)),
        encoder=EncoderShape(hidden_size=16, layers=1, heads=2, intermediate_size=16, dropout=0.1),
        generator=GeneratorShape(hidden_size=8, layers=1, heads=2, intermediate_size=8),
        vocabulary_floor=2,
        warmup_steps=3,
        decay_chars=2000,
        optimizer="muon",
        compile=False,
        threads=1,
    )


def weights(run: Pretraining) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("change", [{"optimizer": "adamw"}, {}, {"objective": "replaced"}], ids=str)
@pytest.mark.parametrize("first", [3, 9], ids=["in the first phase", "in the second phase"])
def test_an_interrupted_run_goes_on_exactly(
    recipe: PretrainRecipe, tmp_path: Path, change: dict[str, str], first: int
) -> None:
    recipe = replace(recipe, **change)  # type: ignore[arg-type]
    whole = Pretraining(recipe, tmp_path / "whole")
    whole.run(max_steps=14)
    expected = weights(whole), whole._train_step()
    Pretraining(recipe, tmp_path / "parts").run(max_steps=first)
    torch.manual_seed(99)  # another process begins with another random state
    parts = Pretraining(recipe, tmp_path / "parts")
    assert parts.step == first
    parts.run(max_steps=14 - first)
    assert_same(weights(parts), expected[0])
    assert parts._train_step() == expected[1]
    assert parts.characters == whole.characters


def test_a_run_stops_when_told_and_leaves_a_checkpoint(recipe: PretrainRecipe, tmp_path: Path) -> None:
    run = Pretraining(recipe, tmp_path)
    run.run(stop=lambda: run.step >= 2)
    assert run.step == 2
    assert Pretraining(recipe, tmp_path).step == 2


def test_a_run_ends_with_its_recipe(recipe: PretrainRecipe, tmp_path: Path) -> None:
    recipe = replace(recipe, phases=(Phase(360, 30, 4),), decay_chars=0)
    Pretraining(recipe, tmp_path).run()
    again = Pretraining(recipe, tmp_path)
    again.run()
    assert (again.step, again.characters) == (3, 360)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_learns(recipe: PretrainRecipe, tmp_path: Path, objective: str) -> None:
    """Text in which every character can be told from its neighbours."""
    path = tmp_path / "one.jsonl"
    texts = [document(number)[:5] + "甲乙丙丁戊己庚辛" * 40 for number in range(60)]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    recipe = replace(
        recipe,
        sources=(Source("one", str(path), 1.0),),
        phases=(Phase(10**6, 40, 8),),
        decay_chars=0,
        learning_rate=1e-2,
        encoder=replace(recipe.encoder, dropout=0.0),
        objective=objective,
    )
    run = Pretraining(recipe, tmp_path / "run")
    losses = [run._train_step() for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_the_vocabulary_is_counted_once_and_kept(recipe: PretrainRecipe, tmp_path: Path) -> None:
    Pretraining(recipe, tmp_path)
    vocabulary = Vocabulary.load(tmp_path / "vocabulary.txt")
    assert set(vocabulary.characters[len(SPECIAL) :]) == set(LETTERS)
    assert build_vocabulary(replace(recipe, vocabulary_floor=10**6)).characters == SPECIAL


def test_held_out_figures_are_by_source_and_mask(recipe: PretrainRecipe, tmp_path: Path) -> None:
    figures = Pretraining(recipe, tmp_path).evaluate()
    assert set(figures) == {
        f"{source}_{mask}_{figure}"
        for source in ("news", "laws")
        for mask in ("single", "word")
        for figure in ("accuracy", "loss")
    }
    assert all(0 <= value <= 1 for name, value in figures.items() if name.endswith("accuracy"))


def test_evaluation_changes_nothing_of_the_run(recipe: PretrainRecipe, tmp_path: Path) -> None:
    plain, asked = Pretraining(recipe, tmp_path / "a"), Pretraining(recipe, tmp_path / "b")
    torch.manual_seed(5)
    plain.run(max_steps=4)
    torch.manual_seed(5)
    asked.evaluate()
    asked.run(max_steps=4)
    assert_same(weights(asked), weights(plain))


def test_the_resolved_recipe_lies_beside_the_weights(recipe: PretrainRecipe, tmp_path: Path) -> None:
    Pretraining(recipe, tmp_path)
    table = json.loads((tmp_path / "recipe.json").read_text("utf-8"))
    assert (table["optimizer"], table["encoder"]["hidden_size"], len(table["sources"])) == ("muon", 16, 2)


@pytest.fixture
def run_folder(recipe: PretrainRecipe, tmp_path: Path) -> Path:
    Pretraining(recipe, tmp_path / "run").run(max_steps=3)
    return tmp_path / "run"


@pytest.mark.parametrize(
    "name", ["state.json", "model.safetensors", "optimizer-0.safetensors", "optimizer-1.safetensors"]
)
@pytest.mark.parametrize("damage", ["cut", "missing", "empty"])
def test_a_damaged_checkpoint_is_named_and_left_as_it_is(
    recipe: PretrainRecipe, run_folder: Path, name: str, damage: str
) -> None:
    path = run_folder / "checkpoint" / name
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")
    before = contents(run_folder)
    with pytest.raises(ModelError, match=r"checkpoint: damaged.*restore it or start in another folder"):
        Pretraining(recipe, run_folder)
    assert contents(run_folder) == before


@pytest.mark.parametrize("change", ["shape", "optimizer"])
def test_the_checkpoint_of_another_recipe_is_refused(recipe: PretrainRecipe, run_folder: Path, change: str) -> None:
    if change == "shape":
        other = replace(recipe, encoder=replace(recipe.encoder, hidden_size=32))
    else:
        other = replace(recipe, optimizer="adamw")
    before = contents(run_folder)
    with pytest.raises(ModelError, match="checkpoint of another recipe"):
        Pretraining(other, run_folder)
    assert contents(run_folder) == before


def test_a_full_disk_leaves_the_last_good_checkpoint(
    recipe: PretrainRecipe, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Pretraining(recipe, run_folder)
    before = contents(run_folder / "checkpoint")
    monkeypatch.setattr(checkpoint_module, "save_file", _full_disk)
    with pytest.raises(ModelError, match=r"cannot write the checkpoint: .*No space left.*last good one is"):
        run.run(max_steps=1)
    assert contents(run_folder / "checkpoint") == before
    monkeypatch.setattr(checkpoint_module, "save_file", save_file)
    assert Pretraining(recipe, run_folder).step == 3


def _full_disk(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_process_that_died_between_the_renames_resumes(recipe: PretrainRecipe, run_folder: Path) -> None:
    (run_folder / "checkpoint").rename(run_folder / "checkpoint.old")
    run = Pretraining(recipe, run_folder)
    assert run.step == 3
    run.run(max_steps=1)
    assert Pretraining(recipe, run_folder).step == 4
    assert not (run_folder / "checkpoint.old").exists()


def test_half_a_new_checkpoint_is_not_looked_at(recipe: PretrainRecipe, run_folder: Path) -> None:
    (run_folder / "checkpoint.new").mkdir()
    (run_folder / "checkpoint.new" / "state.json").write_text("{")
    run = Pretraining(recipe, run_folder)
    run.run(max_steps=1)
    assert run.step == 4


def test_an_unreadable_corpus_line_is_passed_over_with_a_warning(
    recipe: PretrainRecipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = recipe.sources[0]
    path = tmp_path / "news.jsonl"
    lines = Path(source.path).read_text("utf-8").splitlines()
    path.write_text("\n".join(['{"text": "half', *lines]) + "\n", encoding="utf-8")
    run = Pretraining(replace(recipe, sources=(replace(source, path=str(path)),)), tmp_path / "run")
    with caplog.at_level(logging.WARNING):
        run.run(max_steps=2)
    assert run.step == 2
    assert f"{path}:1: not a JSON object with `text`, passed over" in caplog.text


def test_a_missing_corpus_is_named(recipe: PretrainRecipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: corpus file of source 'gone' not found"):
        Pretraining(replace(recipe, sources=(Source("gone", str(tmp_path / "gone.jsonl"), 1.0),)), tmp_path / "run")


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "sgd"},
        {"objective": "translated"},
        {"sources": ()},
        {"phases": ()},
        {"mask_share": 0.0},
        {"device": "abacus"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_recipe_that_cannot_be_run_is_a_config_error(
    recipe: PretrainRecipe, tmp_path: Path, change: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        Pretraining(replace(recipe, **change), tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_the_encoder_is_exported_as_it_was_trained(recipe: PretrainRecipe, run_folder: Path, tmp_path: Path) -> None:
    export_encoder(run_folder, tmp_path / "encoder")
    assert {path.name for path in (tmp_path / "encoder").iterdir()} >= {
        "config.json",
        "model.safetensors",
        "vocabulary.txt",
        "recipe.json",
    }
    config = EncoderConfig(**json.loads((tmp_path / "encoder" / "config.json").read_text("utf-8")))
    encoder = CharEncoder(config)
    tensors = {name: value.float() for name, value in load_file(tmp_path / "encoder" / "model.safetensors").items()}
    encoder.load_state_dict(tensors)
    trained = Pretraining(recipe, run_folder).model.encoder
    for name, value in trained.state_dict().items():
        assert torch.allclose(encoder.state_dict()[name], value, atol=2e-3), name


def test_a_run_without_a_checkpoint_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="let the run write a checkpoint first"):
        export_encoder(tmp_path, tmp_path / "encoder")


def test_the_log_is_one_object_a_line(recipe: PretrainRecipe, tmp_path: Path) -> None:
    recipe = replace(recipe, evaluate_seconds=0.0)
    Pretraining(recipe, tmp_path).run(max_steps=2)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    shutil.rmtree(tmp_path / "checkpoint")


def test_a_run_goes_on_from_the_weights_and_vocabulary_of_another_encoder(recipe: PretrainRecipe, tmp_path: Path) -> None:
    Pretraining(recipe, tmp_path / "first").run(max_steps=2)
    export_encoder(tmp_path / "first", tmp_path / "encoder")
    second = Pretraining(replace(recipe, start=str(tmp_path / "encoder"), vocabulary_floor=9), tmp_path / "second")
    assert second.characters == 0
    assert len(second.vocabulary) == len(Vocabulary.load(tmp_path / "first" / "vocabulary.txt"))
    exported = load_file(tmp_path / "encoder" / "model.safetensors")
    state = second.model.encoder.state_dict()
    assert all(torch.equal(state[name], value.float()) for name, value in exported.items())


def test_a_start_of_another_shape_is_refused(recipe: PretrainRecipe, tmp_path: Path) -> None:
    Pretraining(recipe, tmp_path / "first").run(max_steps=1)
    export_encoder(tmp_path / "first", tmp_path / "encoder")
    shape = replace(recipe.encoder, hidden_size=32)
    with pytest.raises(ConfigError, match="not the weights of an encoder of the recipe's shape"):
        Pretraining(replace(recipe, start=str(tmp_path / "encoder"), encoder=shape), tmp_path / "second")
    with pytest.raises(ConfigError, match="`start` must name the folder of an encoder"):
        Pretraining(replace(recipe, start=str(tmp_path / "nowhere")), tmp_path / "third")
