import shutil
from pathlib import Path

import pytest
import yaml

from treaty_clauses.authoring import compile_annotation
from treaty_clauses.errors import AnnotationError
from treaty_clauses.training.gold import GoldArticle

TEXT = "甲國與乙國簽署三點協議，甲國在簽署後10天內撤軍；如果違反，乙國恢復制裁。甲國撤軍。\n甲乙兩國代表離場。"
YAML = """\
article: {id: a, published: 2026-01-13}
actors:
  A: {name: 甲國, kind: state, forms: [甲國]}
  B: {name: 乙國, kind: state, forms: [乙國]}
compounds: {甲乙: [A, B]}
proposals:
  - {id: p1, name: 三點協議, forms: [三點協議], proposers: [A]}
clauses:
  - p: p1
    type: withdrawal
    mod: obligation
    status: agreed
    mentions: [甲國在簽署後10天內撤軍, "甲國撤軍##2"]
"""


def compiled(folder: Path, text: str, annotation: str) -> object:
    path = folder / "a.yaml"
    path.write_text(annotation, encoding="utf-8")
    return compile_annotation(text, path)


def mistakes(folder: Path, annotation: str, text: str = TEXT) -> list[str]:
    with pytest.raises(AnnotationError) as caught:
        compiled(folder, text, annotation)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def clause(**changes: str) -> str:
    fields = {
        "p": "p1",
        "type": "withdrawal",
        "mod": "obligation",
        "status": "agreed",
        "mentions": "[甲國在簽署後10天內撤軍]",
        **changes,
    }
    head = YAML.split("clauses:")[0]
    return head + "clauses:\n  - {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}\n"


def test_quotes_become_offsets_that_slice_to_them(gold: GoldArticle) -> None:
    text, record = gold.article.text, gold.record
    spans = [m for a in record.actors for m in a.mentions] + [m for p in record.proposals for m in p.mentions]
    for proposal in record.proposals:
        for norm in proposal.clauses:
            spans += [*norm.mentions, *norm.conditions]
            for term in norm.terms:
                assert text[term.start : term.end] == term.text
                spans += [term.anchor] if term.anchor else []
    assert len(spans) > 20
    assert [text[m.start : m.end] for m in spans] == [m.text for m in spans]


def test_everything_of_the_example_article_is_compiled(gold: GoldArticle) -> None:
    named, unnamed = gold.record.proposals
    assert [m.text for m in named.mentions] == ["六點方案", "沙門灣六點方案", "六點方案", "六點方案"]
    assert unnamed.name is None
    assert [len(c.mentions) for c in named.clauses] == [1, 2, 1, 1]
    assert [c.id for c in (*named.clauses, *unnamed.clauses)] == ["c1", "c2", "c3", "c4", "c5", "c6"]
    first = named.clauses[0].terms[0]
    assert first.anchor is not None
    assert first.anchor.text == "簽署"
    assert first.anchor.end <= first.start
    assert unnamed.clauses[1].terms[0].value == "2026-03-01"
    assert named.date == "2026-01-12"


def test_a_compound_gives_one_mention_a_character_and_excluded_forms_none(gold: GoldArticle) -> None:
    actors = {actor.id: actor for actor in gold.record.actors}
    east, west = actors["EJ"].mentions[-1], actors["WJ"].mentions[-1]
    assert (east.text, west.text, west.start - east.start) == ("東", "西", 1)
    assert actors["SM"].mentions[0].start > 20, "the headline's 沙門灣談判 is in not_mentions"


def test_the_longest_form_wins(gold: GoldArticle) -> None:
    east = next(actor for actor in gold.record.actors if actor.id == "EJ")
    assert [m.text for m in east.mentions].count("東礁外交部") == 1


def test_occurrences_are_counted_by_number(tmp_path: Path) -> None:
    found = compiled(tmp_path, TEXT, YAML.replace('"甲國撤軍##2"', '"甲國##3"'))
    record = found.record  # type: ignore[attr-defined]
    second = record.proposals[0].clauses[0].mentions[1]
    assert second.start == TEXT.rindex("甲國")


def test_a_quote_that_is_not_in_the_text_is_named_with_its_line(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, YAML)
    assert mistake.startswith("a.yaml:9: quote '甲國撤軍##2' is not in the text")


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (clause(type="peace"), "clause 1: type 'peace'; expected ceasefire"),
        (clause(mod="must"), "clause 1: mod 'must'; expected obligation"),
        (clause(status="done"), "clause 1: status 'done'; expected proposed"),
        (clause(bearer="[C]"), "clause 1: bearer names the unknown actor 'C'"),
        (clause(p="p9"), "clause 1: unknown proposal 'p9'"),
        (clause(mentions="[]"), "clause 1 has no mention"),
        (clause(mentions="[乙國恢復制裁。]"), "clause 1: span '乙國恢復制裁。' ends in punctuation"),
        (clause(mentions='["甲國撤軍。\\n甲乙"]'), "clause 1: span crosses a line break"),
        (clause(mentions="[甲國在簽署後, 後10天內撤軍]"), "clause 1 '後10天內撤軍' overlaps clause 1"),
        (
            clause(mentions="[如果違反，乙國恢復制裁]", conditions="[如果違反]"),
            "clause 1 begins with its own condition",
        ),
        (clause(conditons="[如果違反]"), "unknown key 'conditons'; expected one of"),
        (clause(terms="[{q: 20天內, role: deadline, value: 20, unit: day}]"), "term '20天內' is not inside"),
        (clause(terms="[{q: 10天內, role: limit, value: 10, unit: day}]"), "term role 'limit'; expected troop_cap"),
        (clause(terms="[{q: 10天內, role: deadline, value: 10, unit: day, cmp: '<'}]"), "cmp '<'; expected eq"),
        (clause(terms="[{q: 10天內, role: deadline, value: 10, unit: dayz}]"), "unit 'dayz'; expected a unit"),
        (clause(terms="[{q: 10天內, role: deadline, value: ten, unit: day}]"), "value 'ten' of unit day must be"),
        (clause(terms="[{q: 10天內, role: deadline, value: yes, unit: day}]"), "value True of unit day must be"),
        (
            clause(terms="[{q: 10天內, role: deadline, value: 10, unit: day, anchor: 批准}]"),
            "quote '批准' is not in the text",
        ),
    ],
)
def test_a_mistake_in_a_clause_is_named_with_its_line(tmp_path: Path, annotation: str, expected: str) -> None:
    found = mistakes(tmp_path, annotation)
    assert any(line.startswith("a.yaml:9: ") and expected in line for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        (
            "compounds: {甲乙: [A, B]}",
            "not_mentions: [甲國與, 甲國在, 甲國撤]",
            3,
            "actor A has no mention in the text",
        ),
        ("name: 甲國, kind: state", "name: 甲國, kind: land", 3, "actor A: kind 'land'; expected state"),
        ("  B: {", "  NO: {", 4, "is no string (YAML reads NO, ON, Y as truth values)"),
        ("forms: [三點協議]", "forms: [五點協議]", 7, "proposal form '五點協議' is not in the text"),
        ("proposers: [A]", "proposers: [C]", 7, "proposal p1: unknown proposer 'C'"),
        ("{甲乙: [A, B]}", "{甲乙: [A, C]}", 1, "compound '甲乙' names the unknown actor 'C'"),
        ("compounds:", "compunds:", 1, "unknown key 'compunds'"),
        ("kind: state, forms: [乙國]", "kind: state, wikidata: 42, forms: [乙國]", 1, "wikidata"),
    ],
)
def test_a_mistake_elsewhere_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, expected: str
) -> None:
    assert old in YAML
    found = mistakes(tmp_path, clause().replace(old, new))
    assert any(mistake.startswith(f"a.yaml:{line}: ") and expected in mistake for mistake in found), found


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, clause(type="peace", mod="must", bearer="[C]"))
    for expected in ("type 'peace'", "mod 'must'", "unknown actor 'C'"):
        assert any(expected in mistake for mistake in found), found


@pytest.mark.parametrize("annotation", ["", "- 1", "article: 3", "article: {id: a", "article: {id: a}\n  x: 1"])
def test_a_file_that_is_no_annotation_is_named(tmp_path: Path, annotation: str) -> None:
    assert mistakes(tmp_path, annotation)[0].startswith("a.yaml")


@pytest.mark.parametrize(
    "annotation",
    [
        "article: {id: a}\nclauses: [3]",
        "article: {id: a}\nproposals: [3]",
        "article: {id: a}\nactors: [3]",
        "article: {id: a}\nactors: {A: 甲國}",
        "article: {id: a}\nclauses: 3",
        "article: {id: a}\nactors: {A: {name: 甲國, kind: state, forms: 甲國}}",
        "article: {id: a}\nclauses: [{mentions: 甲國撤軍}]",
        "article: {id: a}\nclauses: [{terms: [10天內]}]",
        "article: {id: a}\nclauses: [{terms: 10天內}]",
    ],
)
def test_a_part_of_the_wrong_make_is_named(tmp_path: Path, annotation: str) -> None:
    assert mistakes(tmp_path, annotation)[0].startswith("a.yaml:")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"a\.yaml: cannot read the annotation"):
        compile_annotation(TEXT, tmp_path / "a.yaml")


def test_an_article_without_clauses_compiles(tmp_path: Path) -> None:
    found = compiled(tmp_path, "股市收高。", "article: {id: a}\nactors: {}\nproposals: []\nclauses: []\n")
    assert found.record.proposals == ()  # type: ignore[attr-defined]


def test_source_details_are_kept(tmp_path: Path, harbor_yaml: Path, harbor_text: str) -> None:
    copy = tmp_path / "harbor.yaml"
    shutil.copy(harbor_yaml, copy)
    info = compile_annotation(harbor_text, copy).info
    assert (info.event, info.style, info.region) == ("reefs", "wire", "tw")
    assert yaml.safe_load(copy.read_text(encoding="utf-8"))["article"]["id"] == "harbor"
