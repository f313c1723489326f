"""What pretraining asks of the encoder: to guess masked characters, or to tell which characters were replaced."""

from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn

from treaty_clauses.encoder import CharEncoder, EncoderConfig
from treaty_clauses.vocabulary import SPECIAL

OBJECTIVES = ("masked", "replaced")
#: Weight of the detection's loss beside the generator's (ELECTRA, Clark et al. 2020, appendix A).
_DETECTION = 50.0


@dataclass(frozen=True, slots=True)
class GeneratorShape:
    """Size of the network that proposes replacements.

    A third of the encoder's width: a quarter to a half of the encoder worked best for Clark et al. (2020, section 3.2).
    """

    hidden_size: int = 128
    layers: int = 3
    heads: int = 2
    intermediate_size: int = 256


class MaskedCharacterModel(nn.Module):
    """Encoder and tied projection; `forward` gives the loss over the masked positions only."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.encoder = CharEncoder(config)
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))

    def logits(self, characters: Tensor, boundaries: Tensor, positions: Tensor) -> Tensor:
        """(guesses, vocabulary) scores at flattened `positions`."""
        hidden = self.encoder(characters, boundaries)
        picked = hidden.reshape(-1, hidden.shape[-1])[positions]
        picked = self.norm(nn.functional.gelu(self.transform(picked)))
        scores: Tensor = nn.functional.linear(picked, self.encoder.characters.weight) + self.bias
        return scores

    def forward(self, characters: Tensor, boundaries: Tensor, positions: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of guessing `targets` at `positions`."""
        return nn.functional.cross_entropy(self.logits(characters, boundaries, positions).float(), targets)


class ReplacedCharacterModel(nn.Module):
    """Encoder that says of every character whether it was replaced, and the generator that replaces (Clark et al. 2020).

    The generator guesses the masked characters; one drawn from its guesses is put in the place of each. It is left behind when
    the encoder is exported.
    """

    def __init__(self, config: EncoderConfig, generator: GeneratorShape) -> None:
        super().__init__()
        self.encoder = CharEncoder(config)
        self.generator = MaskedCharacterModel(replace(config, **asdict(generator)))
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.out = nn.Linear(config.hidden_size, 1)

    def logits(self, characters: Tensor, boundaries: Tensor, positions: Tensor) -> Tensor:
        """The generator's (guesses, vocabulary) scores at flattened `positions`."""
        return self.generator.logits(characters, boundaries, positions)

    def forward(self, characters: Tensor, boundaries: Tensor, positions: Tensor, targets: Tensor) -> Tensor:
        """The generator's mean cross-entropy and, weighted, the mean cross-entropy of telling replaced characters."""
        scores = self.generator.logits(characters, boundaries, positions).float()
        guessing = nn.functional.cross_entropy(scores, targets)
        original = characters.reshape(-1).index_put((positions,), targets)
        with torch.no_grad():
            noise = -torch.log(-torch.log(torch.rand_like(scores).clamp(1e-9, 1 - 1e-7)))  # Gumbel: the best is a draw
            shown = original.index_put((positions,), (scores + noise).argmax(dim=-1))
        hidden = self.encoder(shown.view_as(characters), boundaries).reshape(len(original), -1)
        said = self.out(nn.functional.gelu(self.transform(hidden)))[:, 0].float()
        losses = nn.functional.binary_cross_entropy_with_logits(said, (shown != original).float(), reduction="none")
        counted = original >= len(SPECIAL)
        return guessing + _DETECTION * (losses * counted).sum() / counted.sum().clamp(min=1)


def build_model(
    objective: str, config: EncoderConfig, generator: GeneratorShape
) -> MaskedCharacterModel | ReplacedCharacterModel:
    """The network that an objective of OBJECTIVES trains."""
    return MaskedCharacterModel(config) if objective == "masked" else ReplacedCharacterModel(config, generator)
