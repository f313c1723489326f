"""Starting from a Hugging Face encoder: its single characters become the vocabulary, its other tokens are dropped."""

from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoTokenizer

from treaty_clauses.encoder import HubEncoder
from treaty_clauses.errors import ModelError
from treaty_clauses.vocabulary import SPECIAL, Vocabulary


def load_hub_encoder(name: str) -> tuple[HubEncoder, dict[str, Any], Vocabulary]:
    """The encoder called `name` (hub name or folder) read by characters, its configuration, and its vocabulary.

    Raises:
        ModelError: It cannot be loaded, or its tokenizer lacks single characters or a special token.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        loaded = AutoModel.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"{name}: cannot load this Hugging Face encoder: {error}; name a folder that holds one"
        ) from error
    special = (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.sep_token_id, tokenizer.mask_token_id)
    if None in special:
        raise ModelError(f"{name}: its tokenizer must have PAD, UNK, SEP and MASK tokens")
    single = sorted((index, token) for token, index in tokenizer.get_vocab().items() if len(token) == 1)
    if not single:
        raise ModelError(f"{name}: its tokenizer knows no single characters; a character-based encoder is needed")
    vocabulary = Vocabulary((*SPECIAL, *(token for _, token in single)))
    rows = torch.tensor([*special, *(index for index, _ in single)])
    weight = loaded.get_input_embeddings().weight.detach()[rows]
    loaded.set_input_embeddings(_embedding(weight))
    loaded.config.vocab_size = len(vocabulary)
    loaded.config.pad_token_id = 0
    table: dict[str, Any] = loaded.config.to_dict()
    encoder = HubEncoder(table)
    encoder.backbone.load_state_dict(loaded.state_dict())
    return encoder, table, vocabulary


def _embedding(weight: torch.Tensor) -> nn.Embedding:
    embedding = nn.Embedding(weight.shape[0], weight.shape[1], padding_idx=0)
    with torch.no_grad():
        embedding.weight.copy_(weight)
    return embedding
