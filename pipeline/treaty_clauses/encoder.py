"""The character encoder: stock ModernBERT layers over character, word-boundary and local-mixing embeddings."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, ModernBertConfig, ModernBertModel

_NEVER = -1e9  # added to the attention score of a character out of reach


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Shape of the encoder.

    The local mixing (a convolution of `mixing_width` characters through `mixing_size` channels) and rotary positions
    let pretraining leave the unigram plateau early (measured on two cores: accuracy 0.10 after 1.5M characters against
    0.05 without them).

    A layer looks `reach_chars` to either side (0: over the whole window). With 128 the first tagger scored as with whole
    windows of 256 (typed clauses on test 0.340 against 0.341, 2026-11-23), and texts are read without overlapping windows.
    """

    vocabulary_size: int
    hidden_size: int = 384
    layers: int = 6
    heads: int = 6
    intermediate_size: int = 768
    mixing_width: int = 5
    mixing_size: int = 96
    boundary_types: int = 5
    dropout: float = 0.0
    max_window_chars: int = 1024
    reach_chars: int = 128


class CharEncoder(nn.Module):
    """Contextual vectors for characters.

    `forward(characters, boundaries, texts)`: (windows, length) int64 twice and an optional (windows, length) number of the
    text that each character belongs to, 0 for padding -> (windows, length, hidden_size). Texts do not see one another.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        size = self.hidden_size = config.hidden_size
        self.vocabulary_size = config.vocabulary_size
        self.characters = nn.Embedding(config.vocabulary_size, size, padding_idx=0)
        self.boundaries = nn.Embedding(config.boundary_types, size, padding_idx=0)
        nn.init.normal_(self.characters.weight, std=0.02)
        nn.init.normal_(self.boundaries.weight, std=0.02)
        with torch.no_grad():
            self.characters.weight[0].zero_()
            self.boundaries.weight[0].zero_()
        self.mix_down = nn.Linear(size, config.mixing_size)
        self.mix_up = nn.Linear(config.mixing_size * config.mixing_width, size)
        self.backbone = ModernBertModel(backbone_config(config))

    def forward(
        self,
        characters: Tensor,
        boundaries: Tensor,
        texts: Tensor | None = None,
        extra: Tensor | None = None,
    ) -> Tensor:
        """Encode windows; `extra` (windows, length, hidden_size) is added to the input embeddings."""
        inputs = self.embed(characters, boundaries, texts, extra)
        reach, length = self.config.reach_chars, characters.shape[1]
        mask: dict[str, Tensor] | None = None
        seen: Tensor | None = None
        if 0 < reach < length - 1:
            places = torch.arange(length, device=characters.device)
            seen = ((places[:, None] - places).abs() <= reach)[None, None]
        if texts is not None:
            same = (texts[:, :, None] == texts[:, None, :])[:, None]
            seen = same if seen is None else seen & same
        if seen is not None:
            mask = {"full_attention": torch.zeros_like(seen, dtype=inputs.dtype).masked_fill(~seen, _NEVER)}
        hidden: Tensor = self.backbone(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        return hidden

    def embed(self, characters: Tensor, boundaries: Tensor, texts: Tensor | None, extra: Tensor | None) -> Tensor:
        """What the layers read: embeddings, mixed with those of the neighbours. Shapes as in `forward`."""
        inputs = self.characters(characters) + self.boundaries(boundaries)
        if extra is not None:
            inputs = inputs + extra
        narrow = nn.functional.gelu(self.mix_down(inputs))
        if texts is not None:  # padding must look like the end of the text
            narrow = narrow * (texts > 0)[..., None]
        mixed: Tensor = inputs + self.mix_up(self._neighbours(narrow))
        return mixed

    def _neighbours(self, narrow: Tensor) -> Tensor:
        """(windows, length, mixing_size) -> (windows, length, mixing_size * mixing_width): each with its neighbours."""
        width = self.config.mixing_width
        padded = nn.functional.pad(narrow, (0, 0, width // 2, width // 2))
        length = narrow.shape[1]
        return torch.cat([padded[:, shift : shift + length] for shift in range(width)], dim=-1)


def backbone_config(config: EncoderConfig) -> ModernBertConfig:
    """The stock layers: global attention with rotary positions, GeGLU, pre-normalisation, no biases."""
    backbone = ModernBertConfig(
        vocab_size=1,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.intermediate_size,
        max_position_embeddings=config.max_window_chars,
        layer_types=["full_attention"] * config.layers,
        attention_dropout=0.0,  # drawing masks over (heads, length, length) takes a fifth of a step on a CPU
        mlp_dropout=config.dropout,
        embedding_dropout=config.dropout,
        norm_bias=False,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        cls_token_id=0,
        sep_token_id=0,
    )
    # eager attention fuses under torch.compile: 11,000 against 6,300 characters/s with the fused kernel's slow
    # backward pass, on 2 cores (2026-11-23)
    backbone._attn_implementation = "eager"
    return backbone


class HubEncoder(nn.Module):
    """Any Hugging Face encoder, read by characters, with the word-boundary feature added to its input embeddings.

    Built from a configuration table (`AutoConfig.to_dict()` with its `model_type`), so that a model folder holds all
    it needs; `forward` has the shapes of `CharEncoder`.
    """

    def __init__(self, table: dict[str, Any]) -> None:
        super().__init__()
        settings = dict(table)
        config = AutoConfig.for_model(settings.pop("model_type"), **settings)
        self.hidden_size, self.vocabulary_size = int(config.hidden_size), int(config.vocab_size)
        self.backbone = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        self.boundaries = nn.Embedding(5, self.hidden_size, padding_idx=0)
        nn.init.zeros_(self.boundaries.weight)

    def forward(
        self,
        characters: Tensor,
        boundaries: Tensor,
        texts: Tensor | None = None,
        extra: Tensor | None = None,
    ) -> Tensor:
        """Encode windows of one text each; see `CharEncoder.forward`."""
        inputs = self.backbone.get_input_embeddings()(characters) + self.boundaries(boundaries)
        if extra is not None:
            inputs = inputs + extra
        mask = None if texts is None else (texts > 0).long()
        hidden: Tensor = self.backbone(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        return hidden
