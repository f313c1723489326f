import json
import logging
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from treaty_clauses.bearers import COUNTS
from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.errors import ModelError
from treaty_clauses.extract import AHEAD_CHARS, Extractor, load, load_runtime
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.grams import span_bags
from treaty_clauses.io import read_articles, read_records
from treaty_clauses.links import LINKS, link_inputs
from treaty_clauses.manifest import MANIFEST, check_manifest
from treaty_clauses.segment import Segmenter
from treaty_clauses.spans import Discourse, Layer, SpanSet, as_array
from treaty_clauses.tagger import Tagger, TaggerConfig, TorchTagger, load_tagger, save_tagger
from treaty_clauses.training.gold import Example, GoldArticle
from treaty_clauses.types import Article
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable

pytest.importorskip("openvino")

from treaty_clauses.fast import FastTagger
from treaty_clauses.training.export import export_tagger
from treaty_clauses.training.parity import LEAST_AGREEMENT, MOST_DIFFERENCE, compare

ROOT = Path(__file__).parents[1]
GATED = ("dev", "test")  # splits of the written articles: in a few articles one record alone is more than MOST_DIFFERENCE


@pytest.fixture(scope="module")
def words_folder(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_config: TaggerConfig,
    vocabulary: Vocabulary,
    segmenter: Segmenter,
    harbor_text: str,
) -> Path:
    """A random model with word vectors and bag-of-words classifiers, exported in half precision."""
    torch.manual_seed(2)
    table = WordTable(sorted({word for word in segmenter.words(harbor_text) if word.strip()}))
    config = replace(
        tiny_config, heads=replace(tiny_config.heads, use_bags=True, count_bearers=True), word_count=len(table), word_size=8, version="words"
    )
    model = Tagger(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    folder = tmp_path_factory.mktemp("words") / "tagger"
    save_tagger(model, vocabulary, folder, table)
    export_tagger(folder, [], precision="half")
    return folder


@pytest.fixture(scope="module")
def fast_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory, harbor_text: str) -> Path:
    """The tiny trained model with its graphs, 8 bits in most products."""
    folder = tmp_path_factory.mktemp("fast") / "tagger"
    shutil.copytree(model_folder, folder)
    export_tagger(folder, [harbor_text], precision="int8")
    return folder


@pytest.fixture(scope="module")
def fast(fast_folder: Path, segmenter: Segmenter, gazetteer: Gazetteer) -> Extractor:
    return Extractor(FastTagger(fast_folder), segmenter, gazetteer)


def reference(folder: Path) -> TorchTagger:
    tagger = load_tagger(folder)
    tagger._bf16 = False
    return tagger


def test_every_score_is_the_reference_s(
    words_folder: Path, segmenter: Segmenter, gazetteer: Gazetteer, example: Example, harbor_text: str
) -> None:
    torch_tagger, fast_tagger = reference(words_folder), FastTagger(words_folder, exact=True)
    encoded = ArticleEncoder(torch_tagger.vocabulary, segmenter, gazetteer, torch_tagger.words).encode(harbor_text)
    spans, found = example.spans, []
    bags = span_bags(harbor_text, encoded.boundaries, encoded.words, spans.layers[Layer.CLAUSE])
    for tagger in (torch_tagger, fast_tagger):
        (reading,) = tagger.start([encoded]).result()
        described = tagger.describe(reading, spans, bags)
        links = tagger.link(described, link_inputs(spans, Discourse.of(harbor_text)))
        found.append((reading, described, links))
    (reading, described, links), (fast_reading, fast_described, fast_links) = found
    np.testing.assert_allclose(fast_reading.tags, reading.tags, atol=2e-3)
    assert described.labels["bearers"].shape == fast_described.labels["bearers"].shape == (spans.count(Layer.CLAUSE), COUNTS)
    for name, logits in described.labels.items():
        np.testing.assert_allclose(fast_described.labels[name], np.asarray(logits), atol=1e-2, err_msg=name)
    assert set(described.votes) == set(fast_described.votes) == {"clause_type", "modality", "status"}
    for name, logits in described.votes.items():
        np.testing.assert_allclose(fast_described.votes[name], np.asarray(logits), atol=1e-3, err_msg=name)
    np.testing.assert_allclose(fast_described.unnamed, np.asarray(described.unnamed), atol=1e-2)
    for name in LINKS:
        np.testing.assert_allclose(fast_links[name], links[name], atol=1e-2, err_msg=name)


@pytest.mark.parametrize("at_once", [7, 64])
def test_how_many_pairs_are_scored_at_once_makes_no_difference(
    words_folder: Path,
    segmenter: Segmenter,
    gazetteer: Gazetteer,
    example: Example,
    harbor_text: str,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    tagger = FastTagger(words_folder, exact=True)
    encoded = ArticleEncoder(tagger.vocabulary, segmenter, gazetteer, tagger.words).encode(harbor_text)
    (reading,) = tagger.start([encoded]).result()
    bags = span_bags(harbor_text, encoded.boundaries, encoded.words, example.spans.layers[Layer.CLAUSE])
    described = tagger.describe(reading, example.spans, bags)
    inputs = link_inputs(example.spans, Discourse.of(harbor_text))
    assert max(len(pairs.sources) for pairs in inputs.pairs.values()) > at_once
    expected = tagger.link(described, inputs)
    monkeypatch.setattr("treaty_clauses.fast._PAIRS_AT_ONCE", at_once)
    for name, scores in tagger.link(described, inputs).items():
        np.testing.assert_allclose(scores, expected[name], atol=1e-4, err_msg=name)


def test_a_text_without_spans_has_no_labels(words_folder: Path, vocabulary: Vocabulary, segmenter: Segmenter) -> None:
    tagger = FastTagger(words_folder)
    encoded = ArticleEncoder(vocabulary, segmenter, Gazetteer([]), tagger.words).encode("甲乙。")
    spans = SpanSet({layer: as_array([]) for layer in Layer})
    (reading,) = tagger.start([encoded]).result()
    described = tagger.describe(reading, spans, span_bags("甲乙。", encoded.boundaries, encoded.words, as_array([])))
    links = tagger.link(described, link_inputs(spans, Discourse.of("甲乙。")))
    assert reading.tags.shape == (3, len(Layer), 5)
    assert all(len(logits) == 0 for logits in (*described.labels.values(), *described.votes.values()))
    assert all(scores.shape[0] == 0 for scores in links.values())


def test_the_article_it_learnt_comes_back_as_from_torch(
    fast: Extractor, extractor: Extractor, gold: GoldArticle
) -> None:
    parity = compare(
        [extractor.extract_article(gold.article)], [fast.extract_article(gold.article)], {"harbor": gold.record}
    )
    assert parity.is_close, parity
    assert parity.fast_f1 > 0.5


def test_a_record_does_not_depend_on_what_is_read_beside_it(fast: Extractor, gold: GoldArticle) -> None:
    text = gold.article.text
    articles = [Article("a", text[:150]), gold.article, Article("b", ""), Article("c", "停火" * 700), Article("d", text[50:])]
    alone = [fast.extract_article(article) for article in articles]
    assert list(fast.pipe(articles, ahead_chars=AHEAD_CHARS)) == alone
    assert list(fast.pipe(reversed(articles))) == alone[::-1]


def test_windows_of_a_long_text_read_as_the_whole(
    words_folder: Path, segmenter: Segmenter, gazetteer: Gazetteer, harbor_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FastTagger(words_folder, exact=True)
    encoded = ArticleEncoder(whole.vocabulary, segmenter, gazetteer, whole.words).encode(harbor_text * 3)
    monkeypatch.setattr("treaty_clauses.fast.WINDOW_CHARS", 400)
    (expected,), pending = whole.start([encoded]).result(), FastTagger(words_folder, exact=True).start([encoded])
    assert len(pending.rows) > 1
    (found,) = pending.result()
    np.testing.assert_allclose(found.tags, expected.tags, atol=1e-4)
    np.testing.assert_allclose(found.hidden, expected.hidden, atol=1e-4)


def test_a_long_text_is_read_in_bounded_memory(fast: Extractor, gold: GoldArticle) -> None:
    text = gold.article.text + "peace process news\n" * 2000
    fast.extract(text)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = fast.extract(text * 6)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert record.article.length == 6 * len(text)
    assert grown < 120_000, f"{grown} KiB more for six times the text"


@pytest.fixture
def copy(fast_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fast_folder, tmp_path / "tagger"))


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["reader.bin", "spans.xml", "pairs.bin"])
def test_a_damaged_graph_is_refused_and_torch_used_instead(
    copy: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    change(copy / name)
    with pytest.raises(ModelError, match=rf"{name}: missing or damaged; run `treaty-clauses export"):
        load(copy, backend="fast")
    with caplog.at_level(logging.WARNING):
        assert isinstance(load_runtime(copy), TorchTagger)
    assert "going on with the torch backend" in caplog.text


def test_a_missing_graph_is_refused(copy: Path) -> None:
    (copy / "spans.xml").unlink()
    with pytest.raises(ModelError, match=r"spans\.xml: missing or damaged"):
        load(copy, backend="fast")


def test_graphs_of_other_weights_are_refused(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    tagger = load_tagger(copy)
    with torch.no_grad():
        tagger.model.heads.unnamed.bias.add_(1)
    save_tagger(tagger.model, tagger.vocabulary, copy)
    with pytest.raises(ModelError, match=r"exported from weights other than model\.safetensors is; run `treaty-clauses"):
        load(copy, backend="fast")
    assert isinstance(load_runtime(copy), TorchTagger)
    assert "exported from weights other" in caplog.text


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 9, "sha256": {}}', '{"format": 1}'])
def test_a_damaged_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="run `treaty-clauses export"):
        check_manifest(copy)


def test_without_openvino_torch_is_used(
    copy: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert isinstance(load_runtime(copy), TorchTagger)
    assert "needs OpenVINO" in caplog.text
    with pytest.raises(ModelError, match="needs OpenVINO"):
        load_runtime(copy, "fast")


def test_without_torch_the_remedy_is_named(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "treaty_clauses.tagger")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match=r"install treaty-clauses\[train\]"):
        load_runtime(model_folder, "torch")


def test_the_fast_backend_is_the_default_where_it_can_run(fast_folder: Path, model_folder: Path) -> None:
    assert isinstance(load_runtime(fast_folder), FastTagger)
    assert isinstance(load_runtime(fast_folder, "torch"), TorchTagger)
    assert isinstance(load_runtime(model_folder), TorchTagger)


def test_reading_with_graphs_loads_no_library_of_training(fast_folder: Path) -> None:
    code = (
        "import sys, treaty_clauses\n"
        f"record = treaty_clauses.load({str(fast_folder)!r}).extract('甲乙兩國同意停火。', published='2026-01-13')\n"
        "print(record.model, [name for name in ('torch', 'transformers', 'spacy', 'datasets', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "tiny []"


def test_an_encoder_of_unbounded_reach_has_no_graphs(tmp_path: Path, tiny_config: TaggerConfig, vocabulary: Vocabulary) -> None:
    assert tiny_config.encoder is not None
    config = replace(tiny_config, encoder=replace(tiny_config.encoder, reach_chars=0))
    save_tagger(Tagger(config), vocabulary, tmp_path)
    with pytest.raises(ModelError, match="bounded reach"):
        export_tagger(tmp_path, [], precision="half")


@pytest.fixture(scope="module")
def shipped() -> Path:
    folder = ROOT / "models" / "tagger"
    if not (folder / MANIFEST).exists():
        pytest.skip("the shipped model has no graphs; run `treaty-clauses export models/tagger`")
    return folder


def test_no_shipped_file_is_larger_than_40_mb(shipped: Path) -> None:
    assert all(path.stat().st_size < 40e6 for path in shipped.iterdir())


def test_the_shipped_graphs_read_as_torch_does(shipped: Path) -> None:
    items = [item for split in GATED for item in read_articles(ROOT / "corpus" / f"{split}.jsonl")]
    articles = [item for item in items if isinstance(item, Article)]
    records = [record for split in GATED for record in read_records(ROOT / "annotations" / f"{split}.jsonl")]
    gold = {record.article.id: record for record in records}
    found = [list(load(shipped, backend=name).pipe(articles, ahead_chars=AHEAD_CHARS)) for name in ("torch", "fast")]
    parity = compare(*found, gold)
    assert parity.agreement >= LEAST_AGREEMENT, parity
    assert abs(parity.fast_f1 - parity.reference_f1) <= MOST_DIFFERENCE, parity


def test_the_shipped_graphs_were_checked(shipped: Path) -> None:
    manifest = check_manifest(shipped)
    assert manifest.checked["agreement"] >= 0.97
    assert json.dumps(manifest.checked)
