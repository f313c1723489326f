"""Reads texts of any length in blocks: every layer looks at most `reach_chars` to either side, so nothing is read twice.

The layers are those of `CharEncoder`, with its weights; only the order of computation differs. Texts lie one after the
other in one row of characters, each at the start of a block, so what is read beside a text changes nothing in its result.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from treaty_clauses.encoder import CharEncoder
from treaty_clauses.packing import BLOCK_CHARS

_NEVER = -30_000.0  # within the range of bf16 and fp16
_NOTHING = 1e-30
MOST_CHARS = 20_480  # the longest text that one row may hold


class BandLayer(nn.Module):
    """One layer with the weights of a ModernBertEncoderLayer.

    Scales of the normalisations and of the attention are multiplied into the projections that follow them.
    """

    def __init__(self, layer: nn.Module, size: int, heads: int) -> None:
        super().__init__()
        joint, up = _weight(layer, "attn.Wqkv"), _weight(layer, "mlp.Wi") * _weight(layer, "mlp_norm")
        attn_norm = layer.get_submodule("attn_norm")
        self.is_first = isinstance(attn_norm, nn.Identity)
        if isinstance(attn_norm, nn.LayerNorm):
            joint = joint * attn_norm.weight.detach()
        query, key, value = torch.split(joint, size)
        self.query, self.key, self.value = _linear(query * (size // heads) ** -0.5), _linear(key), _linear(value)
        self.attended = _linear(_weight(layer, "attn.Wo"))
        self.activated, self.gate = (_linear(part) for part in up.chunk(2))
        self.down = _linear(_weight(layer, "mlp.Wo"))
        # OpenVINO 2026.4 fuses projections of one input where they have no bias: slower, and with one thread it crashes
        # (a division by zero). It drops a bias of zero; this one is lost in rounding.
        for projection in (self.query, self.key, self.value, self.activated, self.gate):
            projection.bias = nn.Parameter(torch.full((len(projection.weight),), _NOTHING), requires_grad=False)


class BandEncoder(nn.Module):
    """The layers of a character encoder as a reader of packed texts.

    `forward`: what the layers read, as `CharEncoder.embed` gives it, for one row of packed texts; for each character the
    number of its text (0: padding) and its position within it -> (1, length, hidden). `length` is a multiple of
    BLOCK_CHARS and every text begins at the start of a block.
    """

    def __init__(self, encoder: CharEncoder) -> None:
        super().__init__()
        config, backbone = encoder.config, encoder.backbone
        if config.reach_chars <= 0:
            raise ValueError("layers that look over the whole window cannot be read in blocks")
        self.size, self.heads = config.hidden_size, config.heads
        self.first_norm, self.last_norm = backbone.embeddings.norm, backbone.final_norm
        self.layers = nn.ModuleList(BandLayer(layer, self.size, self.heads) for layer in backbone.layers)
        self.sides = -(-config.reach_chars // BLOCK_CHARS)  # blocks in reach before and behind
        here = torch.arange(BLOCK_CHARS)[:, None] + self.sides * BLOCK_CHARS
        there = torch.arange(BLOCK_CHARS * (2 * self.sides + 1))
        self.band = nn.Buffer(((here - there).abs() <= config.reach_chars).float(), persistent=False)
        # looked up rather than computed: angles of thousands of characters do not fit bf16
        angles = torch.arange(MOST_CHARS)[:, None] * backbone.rotary_emb.get_buffer("full_attention_inv_freq").detach()
        self.cosines = nn.Buffer(torch.cat([angles.cos()] * 2, -1), persistent=False)
        self.sines = nn.Buffer(torch.cat([angles.sin()] * 2, -1), persistent=False)

    def forward(self, inputs: Tensor, texts: Tensor, positions: Tensor) -> Tensor:
        """(1, length, hidden) and (1, length) twice -> (1, length, hidden)."""
        hidden = self.first_norm(inputs)
        owners = texts.reshape(-1, BLOCK_CHARS)
        # each block's neighbours, itself among them: (blocks, 2 * sides + 1); those beyond the ends are masked
        shifts = torch.arange(-self.sides, self.sides + 1, dtype=torch.int32, device=texts.device)
        numbers = torch.cumsum(torch.ones_like(owners[:, :1]), 0, dtype=torch.int32) - 1 + shifts
        inside = numbers.clamp(min=0).minimum(numbers[-1:, self.sides : self.sides + 1])
        same = (owners[inside] == owners[:, :1, None]) & (inside == numbers)[:, :, None]
        allowed = same.reshape(-1, 1, BLOCK_CHARS * (2 * self.sides + 1)).to(torch.float32) * self.band
        bias = ((allowed - 1) * -_NEVER)[None]  # (1, blocks, BLOCK_CHARS, keys)
        turn = functional.embedding(positions, self.cosines)[None], functional.embedding(positions, self.sines)[None]
        for layer in self.layers:
            assert isinstance(layer, BandLayer)
            hidden = self._pass(layer, hidden, bias, turn, inside)
        read: Tensor = self.last_norm(hidden)
        return read

    def _pass(
        self, layer: BandLayer, hidden: Tensor, bias: Tensor, turn: tuple[Tensor, Tensor], inside: Tensor
    ) -> Tensor:
        normal = hidden if layer.is_first else functional.layer_norm(hidden, (self.size,))
        query, key = _rotate(self._split(layer.query(normal)), *turn), _rotate(self._split(layer.key(normal)), *turn)
        value = self._split(layer.value(normal))
        blocks = (self.heads, -1, BLOCK_CHARS, self.size // self.heads)
        mixed = functional.scaled_dot_product_attention(
            query.reshape(blocks),
            self._around(key, inside),
            self._around(value, inside),
            bias.to(query.dtype),
            scale=1.0,
        )  # (heads, blocks, BLOCK_CHARS, size)
        mixed = mixed.reshape(1, self.heads, -1, self.size // self.heads).transpose(1, 2)
        hidden = hidden + layer.attended(mixed.reshape(hidden.shape))
        normal = functional.layer_norm(hidden, (self.size,))
        lifted = functional.gelu(layer.activated(normal)) * layer.gate(normal)
        added: Tensor = hidden + layer.down(lifted)
        return added

    def _split(self, values: Tensor) -> Tensor:
        """(1, length, hidden) -> (1, heads, length, size)."""
        return values.reshape(1, -1, self.heads, self.size // self.heads).transpose(1, 2)

    def _around(self, values: Tensor, inside: Tensor) -> Tensor:
        """(1, heads, length, size) -> (heads, blocks, keys, size): for each block the characters of its neighbours."""
        size = values.shape[-1]
        blocks = values.reshape(self.heads, -1, BLOCK_CHARS * size)
        return blocks[:, inside].reshape(self.heads, -1, BLOCK_CHARS * (2 * self.sides + 1), size)


def _weight(module: nn.Module, name: str) -> Tensor:
    return module.get_submodule(name).get_parameter("weight").detach()


def _linear(weight: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight = nn.Parameter(weight.clone(), requires_grad=False)
    return linear


def _rotate(values: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    half = values.shape[-1] // 2  # slices, not chunks: the form that OpenVINO fuses
    return values * cosine + torch.cat([-values[..., half:], values[..., :half]], -1) * sine
