"""Fixtures: one gold article made for the tests, and a tiny tagger that has learnt it by heart."""

from collections.abc import Iterator
from pathlib import Path

import datasets
import huggingface_hub
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
from treaty_clauses.tagger import Tagger, TaggerConfig, TorchTagger, load_tagger, save_tagger
from treaty_clauses.training.gold import Example, GoldArticle, make_example
from treaty_clauses.training.losses import LossWeights, article_losses
from treaty_clauses.types import Article
from treaty_clauses.vocabulary import SPECIAL, Vocabulary

ARTICLES = Path(__file__).parent / "articles"
ROOT = Path(__file__).parents[1]
_STEPS = 80  # enough to find every clause of the one article again (about 2 s)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well (`make test-slow`)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes minutes; run with --slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session", autouse=True)
def no_network() -> None:
    """No test asks a model hub for anything; `datasets` would, whenever it opens a local file."""
    datasets.config.HF_HUB_OFFLINE = True
    huggingface_hub.constants.HF_HUB_OFFLINE = True


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny matrices run faster, and sums come out the same, on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def harbor_yaml() -> Path:
    return ARTICLES / "harbor.yaml"


@pytest.fixture(scope="session")
def harbor_text() -> str:
    return (ARTICLES / "harbor.txt").read_text(encoding="utf-8")


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
    return Vocabulary((*SPECIAL, *sorted(set(harbor_text) | set("甲乙丙國停火協議0123456789"))))


@pytest.fixture(scope="session")
def article_encoder(vocabulary: Vocabulary, segmenter: Segmenter, gazetteer: Gazetteer) -> ArticleEncoder:
    return ArticleEncoder(vocabulary, segmenter, gazetteer)


@pytest.fixture(scope="session")
def example(gold: GoldArticle, article_encoder: ArticleEncoder) -> Example:
    return make_example(gold, article_encoder.encode(gold.article.text))


@pytest.fixture(scope="session")
def tiny_config(vocabulary: Vocabulary) -> TaggerConfig:
    return TaggerConfig(
        encoder=EncoderConfig(
            vocabulary_size=len(vocabulary), hidden_size=32, layers=1, heads=2, intermediate_size=32, mixing_size=16
        ),
        heads=HeadsConfig(span_size=32, pair_size=16, document_layers=1, document_heads=2),
        window_chars=64,
        context_chars=16,
        version="tiny",
    )


@pytest.fixture(scope="session")
def model_folder(
    tmp_path_factory: pytest.TempPathFactory,
    vocabulary: Vocabulary,
    tiny_config: TaggerConfig,
    example: Example,
    one_thread: None,
) -> Path:
    torch.manual_seed(1)
    model = Tagger(tiny_config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(_STEPS):
        hidden = model.read([example.encoded], window_chars=64, context_chars=16)[0]
        losses = article_losses(model.heads, hidden, model.word_vectors(example.encoded), example, LossWeights())
        (torch.stack(list(losses.values())).sum() / 3).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
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
