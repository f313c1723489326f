from pathlib import Path

import bilstm_crf
import pytest
import spacy_baseline
import torch
from assembling import Tagged, assemble

from treaty_clauses.authoring import compile_annotation
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.io import record_to_json
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Status
from treaty_clauses.types import Article, ArticleRecord

TEXT = "南川與北嶺同意停火九十天。\n南川須釋放戰俘250名。\n天氣晴朗，商店照常營業。"
ANNOTATION = """
article: {id: a, published: '2026-01-13', event: invented, style: wire, region: tw}
actors:
  S: {name: 南川, kind: state, wikidata: null, forms: [南川]}
  N: {name: 北嶺, kind: state, wikidata: null, forms: [北嶺]}
proposals:
- {id: p1, name: null, forms: [], proposers: []}
clauses:
- {p: p1, type: ceasefire, mod: obligation, status: agreed, mentions: [南川與北嶺同意停火九十天], bearer: [S, N],
   terms: [{q: 九十天, role: duration, value: 90, unit: day, cmp: eq}]}
- {p: p1, type: prisoners, mod: obligation, status: demanded, mentions: [南川須釋放戰俘250名], bearer: [S],
   terms: [{q: 250名, role: headcount, value: 250, unit: person, cmp: eq}]}
"""
WANTED = {(0, 12, "ceasefire"), (14, 25, "prisoners")}


@pytest.fixture
def sources(tmp_path: Path) -> list[tuple[Path, Path]]:
    (tmp_path / "a.yaml").write_text(ANNOTATION, encoding="utf-8")
    record = compile_annotation(TEXT, tmp_path / "a.yaml").record
    (tmp_path / "gold.jsonl").write_text(record_to_json(record) + "\n", encoding="utf-8")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(TEXT, encoding="utf-8")
    return [(tmp_path / "gold.jsonl", tmp_path / "texts")]


def test_a_clause_without_an_actor_of_its_own_is_borne_by_the_last_bearer(gazetteer: Gazetteer) -> None:
    text = "烏克蘭須停火，並釋放戰俘。"
    found = Tagged(
        clauses=[
            (0, 6, ClauseType.CEASEFIRE, Modality.OBLIGATION, Status.PROPOSED),
            (7, 12, ClauseType.PRISONERS, Modality.OBLIGATION, Status.PROPOSED),
        ],
        actors=[(0, 3, ActorKind.STATE)],
    )
    record = assemble(Article("a", text), found, gazetteer, model="test")
    (plan,) = record.proposals
    assert [len(clause.bearer) for clause in plan.clauses] == [1, 1]


def test_the_chain_finds_the_path_that_its_loss_prefers() -> None:
    torch.manual_seed(0)
    crf = bilstm_crf.Crf(3)
    torch.nn.init.normal_(crf.moves)
    scores = torch.randn(1, 5, 3)
    mask = torch.ones(1, 5)
    every = torch.cartesian_prod(*[torch.arange(3)] * 5)
    with torch.no_grad():
        losses = torch.stack([crf.loss(scores, path[None], mask) for path in every])
        assert crf.decode(scores[0]) == every[losses.argmin()].tolist()
        assert torch.exp(-5 * losses).sum().item() == pytest.approx(1.0, abs=1e-4)  # the probabilities of all paths


def test_bilstm_crf_learns_an_article_by_heart(
    sources: list[tuple[Path, Path]], tmp_path: Path, gazetteer: Gazetteer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bilstm_crf, "_DROPOUT", 0.0)
    bilstm_crf.train(tmp_path / "model", sources, epochs=120)
    record = bilstm_crf.read(Article("a", TEXT), *bilstm_crf.load(tmp_path / "model"), gazetteer)
    assert _clauses(record) == WANTED
    assert {actor.name for actor in record.actors} == {"南川", "北嶺"}


def test_spacy_learns_an_article_by_heart(
    sources: list[tuple[Path, Path]], tmp_path: Path, gazetteer: Gazetteer
) -> None:
    spacy_baseline.train(tmp_path / "model", sources, epochs=60)
    record = spacy_baseline.read(Article("a", TEXT), spacy_baseline.load(tmp_path / "model"), gazetteer)
    assert _clauses(record) == WANTED
    assert {actor.name for actor in record.actors} == {"南川", "北嶺"}


def _clauses(record: ArticleRecord) -> set[tuple[int, int, str]]:
    return {
        (mention.start, mention.end, str(clause.type))
        for proposal in record.proposals
        for clause in proposal.clauses
        for mention in clause.mentions
    }
