from typing import Any

import pytest
import torch

from treaty_clauses.encoder import EncoderConfig
from treaty_clauses.training.objectives import GeneratorShape, ReplacedCharacterModel, build_model

CONFIG = EncoderConfig(
    vocabulary_size=20, hidden_size=16, layers=1, heads=2, intermediate_size=16, mixing_size=8, max_window_chars=32
)
GENERATOR = GeneratorShape(hidden_size=8, layers=1, heads=2, intermediate_size=8)
MASK = 3
POSITIONS, TARGETS = torch.tensor([1, 6, 6]), torch.tensor([9, 12, 12])
SHOWN_MASKED = torch.tensor([[8, MASK, 10, 11], [7, 13, MASK, 14]])
BOUNDARIES = torch.ones_like(SHOWN_MASKED)


def certain(model: ReplacedCharacterModel, character: int) -> None:
    """Make the generator guess one character, whatever it reads."""
    with torch.no_grad():
        model.generator.bias.fill_(-1e4)
        model.generator.bias[character] = 1e4


def watch(model: ReplacedCharacterModel, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []
    forward = model.encoder.forward

    def record(characters: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(characters)
        return forward(characters, *rest)

    monkeypatch.setattr(model.encoder, "forward", record)
    return seen


def test_the_encoder_reads_what_the_generator_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model("replaced", CONFIG, GENERATOR)
    assert isinstance(model, ReplacedCharacterModel)
    certain(model, 17)
    seen = watch(model, monkeypatch)
    model(SHOWN_MASKED, BOUNDARIES, POSITIONS, TARGETS)
    assert seen[0].tolist() == [[8, 17, 10, 11], [7, 13, 17, 14]]


def test_a_right_guess_is_no_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one answer for all characters, "not replaced" is cheap where the generator is right and dear where it is wrong."""
    model = build_model("replaced", CONFIG, GENERATOR)
    assert isinstance(model, ReplacedCharacterModel)
    certain(model, 9)
    with torch.no_grad():
        model.out.weight.zero_()
        model.out.bias.fill_(-8.0)
    seen = watch(model, monkeypatch)
    all_right = model(SHOWN_MASKED, BOUNDARIES, POSITIONS[:1], TARGETS[:1])
    assert seen[0].tolist()[0] == [8, 9, 10, 11]
    assert all_right.item() < 0.1
    wrong = model(SHOWN_MASKED, BOUNDARIES, POSITIONS[:1], torch.tensor([10]))
    assert wrong.item() > 8 * 50 / 7  # one of seven counted characters; MASK is left in the second window


def test_the_generators_loss_reaches_it_and_the_detection_does_not() -> None:
    model = build_model("replaced", CONFIG, GENERATOR)
    assert isinstance(model, ReplacedCharacterModel)
    model(SHOWN_MASKED, BOUNDARIES, POSITIONS, TARGETS).backward()
    assert model.generator.bias.grad is not None
    assert model.encoder.characters.weight.grad is not None
    # a mean of cross-entropies: the gradient of the bias sums to zero, and would not with 50 times another loss in it
    assert abs(float(model.generator.bias.grad.sum())) < 1e-4
    assert float(model.generator.bias.grad.abs().sum()) <= 2.0
