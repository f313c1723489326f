import json
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treaty_clauses.actors import Link, actors_jsonl, link_mentions
from treaty_clauses.errors import ConfigError
from treaty_clauses.gazetteer import Entry, Gazetteer, fold_variants, parse_entries
from treaty_clauses.labels import ActorKind

CASES = Path(__file__).parent / "cases"
ACTORS = Path(__file__).parents[1] / "pipeline/treaty_clauses/data/actors"


def read_cases(name: str) -> list[dict]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def link_all(gazetteer: Gazetteer, text: str, *mentions: str) -> list[Link]:
    spans, at = [], 0
    for mention in mentions:
        start = text.index(mention, at)
        spans.append((start, start + len(mention)))
        at = start + len(mention)
    return link_mentions(text, spans, gazetteer)


@pytest.mark.parametrize(
    "case", [*read_cases("actors_find.jsonl"), *read_cases("actors_press.jsonl")], ids=lambda case: case["text"]
)
def test_names_are_found_where_they_are_names_and_nowhere_else(gazetteer, case):
    matches = gazetteer.find(case["text"])

    assert [match.form for match in matches] == [form for form, _ in case["found"]]
    for match, (_, wikidata) in zip(matches, case["found"], strict=True):
        if wikidata is not None:
            assert match.entries[0].wikidata == wikidata


@pytest.mark.parametrize("case", read_cases("actors_usage.jsonl"), ids=lambda case: case["tw"][0])
def test_taiwan_hong_kong_and_mainland_names_mean_the_same(gazetteer, case):
    for form in (*case["tw"], *case["hk"], *case["cn"]):
        text = f"據{form}說，"
        (link,) = link_mentions(text, [(1, 1 + len(form))], gazetteer)
        assert (link.wikidata, link.kind) == (case["wikidata"], case["kind"]), form
        if len(form) > 1:
            assert [match.form for match in gazetteer.find(text)] == [form]


@pytest.mark.parametrize("case", read_cases("actors_link.jsonl"), ids=lambda case: f"{case['mention']}: {case['why']}")
def test_a_link_follows_the_article_or_is_refused(gazetteer, case):
    find = case["text"].rindex if case.get("last") else case["text"].index
    start = find(case["mention"])
    (link,) = link_mentions(
        case["text"],
        [(start, start + len(case["mention"]))],
        gazetteer,
        kinds=[ActorKind(case["kind"]) if "kind" in case else None],
        published=date.fromisoformat(case["published"]) if "published" in case else None,
    )

    assert (link.wikidata, link.rule) == (case["wikidata"], case["rule"])


def test_short_forms_of_an_unlisted_actor_share_its_key(gazetteer):
    text = "盧卡·蓋博與民主和平委員會談判；蓋博讓步，委員會同意。"
    full, body, short, rest = link_all(gazetteer, text, "盧卡·蓋博", "民主和平委員會", "蓋博", "委員會")

    assert short.key == full.key
    assert rest.key == body.key
    assert full.key != body.key
    assert short.rule == rest.rule == "part of"


def test_a_short_form_that_fits_two_actors_joins_neither(gazetteer):
    first, second, short = link_all(
        gazetteer, "高地聯合陣線與海岸聯合陣線簽約，陣線撤軍。", "高地聯合陣線", "海岸聯合陣線", "陣線撤軍"[:2]
    )

    assert len({first.key, second.key, short.key}) == 3


def test_a_name_in_brackets_is_the_same_actor(gazetteer):
    full, alias = link_all(gazetteer, "東岸人民軍（簡稱EPA）撤出。", "東岸人民軍", "EPA")

    assert alias.key == full.key
    assert alias.rule == "alias"


def test_a_first_character_means_the_articles_own_unlisted_state(gazetteer):
    text = "卡爾文尼亞與北嶺簽約，卡軍撤出，卡方道歉。"
    full, army, government = link_all(gazetteer, text, "卡爾文尼亞", "卡軍", "卡方")

    assert army.key == government.key == full.key
    assert army.wikidata is None


def test_a_first_character_means_the_listed_state_that_the_article_names(gazetteer):
    _, named, army = link_all(gazetteer, "卡爾文尼亞與卡達簽約，卡軍撤出。", "卡爾文尼亞", "卡達", "卡軍")

    assert army.key == named.key == "Q846"


def test_links_come_in_the_order_of_the_spans(gazetteer):
    text = "烏克蘭與俄羅斯"
    links = link_mentions(text, [(4, 7), (0, 3)], gazetteer)

    assert [link.name for link in links] == ["俄羅斯", "烏克蘭"]


def test_a_part_of_the_world_is_linked_where_the_tagger_marks_a_place(gazetteer):
    text = "亞洲盃在亞洲舉行"

    assert gazetteer.find(text) == []
    (link,) = link_mentions(text, [(4, 6)], gazetteer, kinds=[ActorKind.PLACE])
    assert link.wikidata == "Q48"


def test_kinds_and_spans_must_match_in_number(gazetteer):
    with pytest.raises(ValueError, match="zip"):
        link_mentions("烏克蘭", [(0, 3)], gazetteer, kinds=[])


def test_actors_jsonl_answers_line_by_line(gazetteer):
    lines = ['{"id": "a", "text": "俄軍撤出基輔近郊。"}\n', "\n", '{"id": "b", "text": ""}']
    answers = [json.loads(line) for line in actors_jsonl(lines, gazetteer)]

    assert [answer["id"] for answer in answers] == ["a", "b"]
    assert answers[0]["actors"] == [
        {
            "start": 0,
            "end": 2,
            "text": "俄軍",
            "kind": "state",
            "wikidata": "Q159",
            "name": "俄羅斯",
            "rule": "institution",
        },
        {"start": 4, "end": 6, "text": "基輔", "kind": "place", "wikidata": "Q1899", "name": "基輔", "rule": "seat"},
    ]
    assert answers[1]["actors"] == []


@pytest.mark.parametrize(
    ("line", "name", "message"),
    [
        ("{", None, 'line 1: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1); write one object {"id", "text"} a line'),
        ("[]", None, 'line 1: found list; write one object {"id", "text"} a line'),
        ('{"id": 1}', 1, 'line 1: "text" is NoneType; give the text as a string'),
    ],
)  # fmt: skip
def test_actors_jsonl_names_the_bad_line_and_goes_on(gazetteer, line, name, message):
    bad, good = (json.loads(answer) for answer in actors_jsonl([line, '{"id": "b", "text": "基輔"}'], gazetteer))

    assert bad == {"id": name, "error": message}
    assert [actor["text"] for actor in good["actors"]] == ["基輔"]


TEXTS = st.text(
    st.sampled_from("俄烏以巴美中日韓印伊軍方國對訪駐、，。·（）《》電中央社克里米亞哈瑪斯普丁Na1 \n"), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS | st.text(max_size=60))
def test_matches_slice_their_text_in_order_without_overlap(gazetteer, text):
    matches = gazetteer.find(text)
    links = link_mentions(text, [(match.start, match.end) for match in matches], gazetteer)

    assert all(text[match.start : match.end] == match.form for match in matches)
    assert all(left.end <= right.start for left, right in pairwise(matches))
    assert [(link.start, link.end) for link in links] == [(match.start, match.end) for match in matches]
    assert all(link.key for link in links)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80), cuts=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 12)), max_size=6))
def test_any_spans_can_be_linked(gazetteer, text, cuts):
    spans = [(start, min(start + size, len(text))) for start, size in cuts if start < len(text)]

    assert len(link_mentions(text, spans, gazetteer)) == len(spans)


@given(text=st.text(max_size=200))
def test_folding_keeps_the_length(text):
    assert len(fold_variants(text)) == len(text)


def test_finding_takes_linear_time(gazetteer):
    def seconds(text: str) -> float:
        start = time.perf_counter()
        gazetteer.find(text)
        return time.perf_counter() - start

    unit = "俄烏美中以巴、英、法對俄駐韓烏軍以為《中俄條約》（中央社莫斯科" * 20
    seconds(unit)
    short, long = min(seconds(unit * 5) for _ in range(3)), min(seconds(unit * 50) for _ in range(3))
    assert long < 30 * short  # ten times the text; quadratic would be a hundred times


def test_loading_is_quick_and_the_gazetteer_large(gazetteer):
    start = time.perf_counter()
    Gazetteer.load()

    assert time.perf_counter() - start < 1.5  # 0.1 s where measured; room for a busy machine
    assert len(gazetteer.entries) >= 3000
    assert {entry.kind for entry in gazetteer.entries} >= {
        ActorKind.STATE, ActorKind.ORGANIZATION, ActorKind.ARMED_GROUP, ActorKind.PERSON, ActorKind.PLACE,
    }  # fmt: skip


def test_the_tables_refer_only_to_entries_that_exist(gazetteer):
    keys = set(gazetteer.by_key)
    seats = {key for entry in gazetteer.entries for key in entry.seat_of}
    heads = {entry.heads for entry in gazetteer.entries if entry.heads}
    pairs = {key for keys_of_pair, _ in gazetteer.short_forms.pairs.values() for key in keys_of_pair}
    shorts = {key for name in gazetteer.short_forms.names.values() for key in name.keys} - {"Q0"}

    assert seats <= keys
    assert heads <= keys
    assert pairs <= keys
    assert shorts <= keys


def test_wikidata_ids_are_given_once(gazetteer):
    ids = [entry.wikidata for entry in gazetteer.entries if entry.wikidata]

    assert len(ids) == len(set(ids))


def test_the_tables_tell_checked_ids_from_remembered_ones(gazetteer):
    ids = [entry for entry in gazetteer.entries if entry.wikidata]
    checked = [entry for entry in ids if entry.source in ("rigour", "country-coder", "nsi")]
    remembered = [entry for entry in ids if entry.source == "memory"]
    readme = (ACTORS / "README.md").read_text("utf-8")

    assert len(checked) + len(remembered) == len(ids)
    assert f"of {len(gazetteer.entries):,} entries {len(checked)} have such an id, {len(remembered)} have" in readme


@pytest.mark.parametrize("table", ["states", "organizations", "armed_groups", "persons", "places", "regions", "areas", "cities"])
def test_every_table_names_its_source(table):
    text = (ACTORS / f"{table}.tsv").read_text("utf-8")

    header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    assert "Source" in header or "Written for this project" in header


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("state\tQ1\tX\t-\t-", "six columns"),
        ("country\tQ1\tX\t-\t-\tcurated", "known kind"),
        ("state\t12\tX\t-\t-\tcurated", "no Wikidata id"),
        ("state\tQ1\tX\t-\tcapital=Q2\tcurated", "unknown flags"),
    ],
)
def test_a_damaged_table_is_named(line, message):
    with pytest.raises(ConfigError, match=message):
        list(parse_entries([line], table="states"))


def test_a_gazetteer_can_be_built_by_hand():
    entry = Entry(key="Q1", name="南川", kind=ActorKind.STATE, wikidata="Q1", forms=("南川",))
    (match,) = Gazetteer([entry], blocked=["南川話"]).find("南川話在南川外交部通用")

    assert (match.form, match.rule) == ("南川外交部", "institution")
