"""Fixtures: one gold article made for the tests, and a tiny tagger with random weights that finds something in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from treaty_clauses.authoring import compile_annotation
from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.encoder import EncoderConfig
from treaty_clauses.extract import Extractor
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.io import parse_date
from treaty_clauses.segment import Segmenter
from treaty_clauses.spans import Layer
from treaty_clauses.tagger import Tagger, TaggerConfig, TorchTagger, load_tagger, save_tagger
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article
from treaty_clauses.vocabulary import SPECIAL, Vocabulary

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[1]
_SHARE_IN_SPANS = 0.06  # of characters whose best tag is not "outside", a layer: some spans, not hundreds


@pytest.fixture(scope="session")
def harbor_yaml() -> Path:
    return DATA / "harbor.yaml"


@pytest.fixture(scope="session")
def harbor_text() -> str:
    return (DATA / "harbor.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def gold(harbor_text: str, harbor_yaml: Path) -> GoldArticle:
    record = compile_annotation(harbor_text, harbor_yaml).record
    return GoldArticle(Article("harbor", harbor_text, parse_date("2026-01-13", where="test")), record)


@pytest.fixture(scope="session")
def segmenter() -> Segmenter:
    return Segmenter()


@pytest.fixture(scope="session")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.fixture(scope="session")
def vocabulary(harbor_text: str) -> Vocabulary:
    return Vocabulary((*SPECIAL, *dict.fromkeys(sorted(set(harbor_text)) + list("甲乙丙國停火協議0123456789"))))


def tiny_shape(vocabulary: Vocabulary) -> EncoderConfig:
    return EncoderConfig(
        vocabulary_size=len(vocabulary), hidden_size=32, layers=1, heads=2, intermediate_size=32, mixing_size=8
    )


def tiny_config(vocabulary: Vocabulary) -> TaggerConfig:
    return TaggerConfig(
        encoder=tiny_shape(vocabulary),
        heads=HeadsConfig(span_size=32, pair_size=16, document_layers=1, document_heads=2),
        window_chars=64,
        context_chars=16,
        version="tiny",
    )


@pytest.fixture(scope="session")
def model_folder(
    tmp_path_factory: pytest.TempPathFactory,
    vocabulary: Vocabulary,
    segmenter: Segmenter,
    gazetteer: Gazetteer,
    harbor_text: str,
) -> Path:
    """A saved tagger with random weights; its "outside" scores are set so that each layer finds a few spans."""
    torch.manual_seed(1)
    model = Tagger(tiny_config(vocabulary)).eval()
    with torch.no_grad():
        model.encoder.characters.weight.normal_(std=1.0)
        head = model.heads.tags[3]
        head.weight.normal_(std=0.3)
        encoded = ArticleEncoder(vocabulary, segmenter, gazetteer).encode(harbor_text)
        hidden = model.read([encoded], window_chars=64, context_chars=16)[0]
        tags = model.heads.tag(hidden)
        margin = (tags[..., 1:].max(dim=-1).values - tags[..., 0]).numpy()
        outside = torch.from_numpy(np.quantile(margin, 1 - _SHARE_IN_SPANS, axis=0)).float()
        head.bias.view(len(Layer), -1)[:, 0] += outside
    folder = tmp_path_factory.mktemp("tiny") / "tagger"
    save_tagger(model, vocabulary, folder)
    return folder


@pytest.fixture(scope="session")
def tagger(model_folder: Path) -> TorchTagger:
    """The tiny tagger, in fp32 whatever the machine, so that results compare closely."""
    loaded = load_tagger(model_folder)
    loaded._bf16 = False
    return loaded


@pytest.fixture(scope="session")
def extractor(tagger: TorchTagger, segmenter: Segmenter, gazetteer: Gazetteer) -> Extractor:
    return Extractor(tagger, segmenter, gazetteer)


@pytest.fixture
def with_windows(tagger: TorchTagger) -> Callable[[int, int], TorchTagger]:
    """The same weights, read in windows of another size."""

    def make(window_chars: int, context_chars: int) -> TorchTagger:
        model = Tagger(replace(tagger.config, window_chars=window_chars, context_chars=context_chars))
        model.load_state_dict(tagger.model.state_dict())
        return TorchTagger(model, tagger.vocabulary)

    return make
