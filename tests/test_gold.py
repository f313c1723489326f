import json
from pathlib import Path

import numpy as np
import pytest

from treaty_clauses.decode import spans_of
from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.errors import InputError
from treaty_clauses.io import record_to_json, strip_text
from treaty_clauses.labels import ActorKind, ClauseType, Role, TermRole
from treaty_clauses.spans import Layer
from treaty_clauses.training.gold import Example, GoldArticle, make_example, read_gold
from treaty_clauses.types import ArticleRecord


def texts_of(example: Example, layer: Layer, text: str) -> list[str]:
    return [text[start:end] for start, end in example.spans.layers[layer].tolist()]


@pytest.mark.parametrize("bare", [False, True], ids=["with quotes", "offsets only"])
def test_gold_is_read_with_its_text(tmp_path: Path, gold: GoldArticle, bare: bool) -> None:
    path = tmp_path / "train.jsonl"
    line = json.dumps(strip_text(gold.record)) if bare else record_to_json(gold.record)
    path.write_text(line + "\n\n", encoding="utf-8")
    assert list(read_gold(path, {"harbor": gold.article.text})) == [gold]


@pytest.mark.parametrize("bare", [False, True], ids=["with quotes", "offsets only"])
def test_a_missing_text_is_named(tmp_path: Path, gold: GoldArticle, bare: bool) -> None:
    path = tmp_path / "train.jsonl"
    line = json.dumps(strip_text(gold.record)) if bare else record_to_json(gold.record)
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.jsonl.*'harbor' is missing"):
        list(read_gold(path, {}))


@pytest.mark.parametrize("bare", [False, True], ids=["with quotes", "offsets only"])
def test_another_text_than_the_annotated_one_is_refused(tmp_path: Path, gold: GoldArticle, bare: bool) -> None:
    path = tmp_path / "train.jsonl"
    line = json.dumps(strip_text(gold.record)) if bare else record_to_json(gold.record)
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.jsonl.*SHA-256"):
        list(read_gold(path, {"harbor": gold.article.text.replace("西", "南")}))


@pytest.mark.parametrize("bare", [False, True], ids=["with quotes", "offsets only"])
def test_half_a_line_is_named(tmp_path: Path, gold: GoldArticle, bare: bool) -> None:
    path = tmp_path / "train.jsonl"
    line = json.dumps(strip_text(gold.record)) if bare else record_to_json(gold.record)
    path.write_text(line + "\n" + line[: len(line) // 2], encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.jsonl:2"):
        list(read_gold(path, {"harbor": gold.article.text}))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.jsonl"):
        list(read_gold(tmp_path / "train.jsonl", {}))


def test_spans_of_every_layer_are_the_golds(example: Example, harbor_text: str) -> None:
    assert texts_of(example, Layer.CONDITION, harbor_text) == ["如果西礁違反承諾"]
    assert texts_of(example, Layer.ANCHOR, harbor_text) == ["簽署"]
    assert texts_of(example, Layer.TERM, harbor_text) == [
        "10天內",
        "不得超過1.2萬人",
        "三成",
        "20億美元",
        "2026年3月1日前",
    ]
    assert len(texts_of(example, Layer.CLAUSE, harbor_text)) == 7
    assert texts_of(example, Layer.PROPOSAL, harbor_text).count("六點方案") == 3
    assert example.spans.proposal_entities.tolist() == [0, 0, 0, 0]


def test_tags_spell_the_spans(example: Example) -> None:
    for number, layer in enumerate(Layer):
        tags = example.targets.tags[:, number].astype(np.int8)
        assert [list(span) for span in spans_of(tags)] == example.spans.layers[layer].tolist()


def test_labels_follow_the_spans(example: Example, harbor_text: str) -> None:
    targets = example.targets
    clauses = texts_of(example, Layer.CLAUSE, harbor_text)
    types = dict(zip(clauses, [list(ClauseType)[i] for i in targets.labels["clause_type"]], strict=True))
    assert types["西軍須離開沙門灣"] == ClauseType.WITHDRAWAL
    assert types["在2026年3月1日前舉行公投"] == ClauseType.ELECTION
    roles = [list(TermRole)[i].value for i in targets.labels["term_role"]]
    assert roles == ["deadline", "troop_cap", "share", "asset_sum", "deadline"]
    kinds = {list(ActorKind)[i] for i in targets.labels["kind"]}
    assert kinds == {ActorKind.STATE, ActorKind.PERSON, ActorKind.PLACE}


def test_links_are_the_golds(example: Example, harbor_text: str, gold: GoldArticle) -> None:
    targets = example.targets
    clauses = texts_of(example, Layer.CLAUSE, harbor_text)
    names = {}
    for start, entity in zip(example.spans.layers[Layer.ACTOR][:, 0], example.spans.actor_entities, strict=True):
        owner = next(a.name for a in gold.record.actors for m in a.mentions if m.start == start)
        names.setdefault(int(entity), owner)
    held = {
        (clause, names[int(actor)], list(Role)[int(role)].value)
        for clause, (actor, role) in ((clauses[row], pair) for row, *pair in np.argwhere(targets.roles))
    }
    assert ("西礁軍隊撤出沙門灣", "西礁", "bearer") in held
    assert ("西軍須離開沙門灣", "沙門灣", "territory") in held
    assert ("東礁歸還凍結的20億美元資產", "莫瑞安", "proposers") in held
    assert not any(actor == "莫瑞安" and role == "bearer" for _, actor, role in held)
    assert [clauses[row] for row in np.flatnonzero(targets.attribution[:, 1])] == [
        "東礁歸還凍結的20億美元資產",
        "在2026年3月1日前舉行公投",
    ]
    assert [clauses[row] for row, _ in np.argwhere(targets.conditions)] == ["東礁將恢復徵收三成關稅"]
    ((later, earlier),) = np.argwhere(targets.same_norm).tolist()
    assert (clauses[later], clauses[earlier]) == ("西軍須離開沙門灣", "西礁軍隊撤出沙門灣")
    assert targets.proposers.sum() == 4, "東礁 at each of the four namings"
    assert targets.same_proposal.sum() == 6, "four namings of one plan"


def test_of_overlapping_mentions_the_longer_stays(article_encoder: ArticleEncoder, gold: GoldArticle) -> None:
    east = gold.record.actors[0]
    longer = east.mentions[0].model_copy(
        update={
            "end": east.mentions[0].end + 1,
            "text": gold.article.text[east.mentions[0].start : east.mentions[0].end + 1],
        }
    )
    other = gold.record.actors[1].model_copy(update={"mentions": (longer,)})
    record = gold.record.model_copy(update={"actors": (east, other), "proposals": ()})
    example = make_example(GoldArticle(gold.article, record), article_encoder.encode(gold.article.text))
    spans = example.spans.layers[Layer.ACTOR].tolist()
    assert [longer.start, longer.end] in spans
    assert [east.mentions[0].start, east.mentions[0].end] not in spans


def test_an_article_without_annotation_is_an_example_too(article_encoder: ArticleEncoder, gold: GoldArticle) -> None:
    record = ArticleRecord.model_validate({**gold.record.model_dump(), "actors": (), "proposals": ()})
    example = make_example(GoldArticle(gold.article, record), article_encoder.encode(gold.article.text))
    assert not example.targets.tags.any()
    assert example.targets.roles.shape == (0, 0, len(Role))
    assert example.targets.attribution.shape == (0, 1)
