import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from treaty_clauses.io import record_to_json
from treaty_clauses.labels import ClauseType
from treaty_clauses.schema import crosswalk_rows, record_schema
from treaty_clauses.training.gold import GoldArticle

SHARED = Path(__file__).resolve().parents[2] / "shared" / "contract"
_WORDS = {"title", "description", "default", "$schema"}  # say nothing about what is valid
_UNORDERED = {"required", "enum", "type"}


def contract() -> dict[str, Any]:
    text = files("treaty_clauses").joinpath("data/record.schema.json").read_text(encoding="utf-8")
    table = json.loads(text)
    assert isinstance(table, dict)
    return table


def normal(schema: Any) -> Any:
    """The same schema in one spelling: what two spellings of one meaning share, and nothing else."""
    if isinstance(schema, list):
        return [normal(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    table = {}
    for key, value in schema.items():
        if key == "properties":
            table[key] = {name: normal(part) for name, part in value.items()}
        elif key not in _WORDS:
            table[key] = normal(value)
    if "const" in table:
        table["enum"] = [table.pop("const")]
    if "enum" in table:
        table.pop("type", None)  # the values have the type
    if "type" in table and not isinstance(table["type"], list):
        table["type"] = [table["type"]]
    if "number" in table.get("type", ()):
        table["type"] = [name for name in table["type"] if name != "integer"]  # every integer is a number
    for key in _UNORDERED & table.keys():
        table[key] = sorted(table[key], key=json.dumps)
    return _joined(table)


def _joined(table: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of plain types as one list of types; constraints on strings or numbers do not touch null."""
    parts = table.get("anyOf")
    if not parts or not all("type" in part and "properties" not in part and "items" not in part for part in parts):
        if parts:
            table["anyOf"] = sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))
        return table
    rest = {key: value for key, value in table.items() if key != "anyOf"}
    types: set[str] = set()
    for part in parts:
        types.update(part["type"])
        for key, value in part.items():
            if key != "type":
                assert key not in rest, f"two branches of {table} constrain {key}"
                rest[key] = value
    return normal({**rest, "type": sorted(types, key=json.dumps)})


def paths(schema: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a schema with its place."""
    if isinstance(schema, dict):
        for key in sorted(schema):
            yield from paths(schema[key], f"{at}/{key}")
    else:
        yield at, json.dumps(schema, ensure_ascii=False, sort_keys=True)


def test_our_schema_says_what_the_contract_says() -> None:
    assert dict(paths(normal(record_schema()))) == dict(paths(normal(contract())))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"const": "1"}, {"const": "1", "type": "string"}),
        (
            {"type": ["string", "null"], "pattern": "^Q"},
            {"anyOf": [{"type": "string", "pattern": "^Q"}, {"type": "null"}]},
        ),
        ({"type": "object", "required": ["a", "b"]}, {"required": ["b", "a"], "type": ["object"], "title": "X"}),
        ({"type": "number"}, {"anyOf": [{"type": "integer"}, {"type": "number"}]}),
    ],
)
def test_spellings_of_one_meaning_are_one(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert normal(first) == normal(second)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("actors/items/properties/wikidata", {"pattern": "^Q"}),
        ("actors/items", {"required": ["id"]}),
        ("actors/items", {"additionalProperties": True}),
        ("actors/items/properties/mentions", {"minItems": 2}),
        ("article/properties/title", {"type": "string"}),
        ("article/properties/length", {"minimum": 1}),
        ("proposals/items/properties/proposers", {"uniqueItems": False}),
        ("proposals/items/properties/clauses/items/properties/modality", {"enum": ["obligation"]}),
        ("proposals/items/properties/clauses/items/properties/terms/items/properties/high", {"type": "number"}),
        ("schema_version", {"const": "2"}),
    ],
)
def test_a_change_of_meaning_is_seen(place: str, change: dict[str, Any]) -> None:
    table = contract()
    part = table["properties"]
    for step in place.split("/"):
        part = part[step]
    part.update(change)
    assert normal(table) != normal(contract())


def test_both_schemas_accept_the_gold_with_all_details(gold: GoldArticle) -> None:
    info = gold.record.article.model_copy(update={"title": "題", "source": "報", "url": "u"})
    record = gold.record.model_copy(update={"article": info, "model": "m", "warnings": ("w",)})
    for schema in (record_schema(), contract()):
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(json.loads(record_to_json(record)))


@pytest.mark.parametrize("part", ["clause", "term", "actor", "article"])
def test_both_schemas_refuse_an_unknown_field(gold: GoldArticle, part: str) -> None:
    table = json.loads(record_to_json(gold.record))
    clause = table["proposals"][0]["clauses"][0]
    place = {"clause": clause, "term": clause["terms"][0], "actor": table["actors"][0], "article": table["article"]}
    place[part]["surprise"] = 1
    for schema in (record_schema(), contract()):
        with pytest.raises(ValidationError, match="surprise"):
            Draft202012Validator(schema).validate(table)


def test_the_crosswalk_covers_every_type_in_order() -> None:
    rows = crosswalk_rows()
    assert [row.type for row in rows] == list(ClauseType)
    assert all(row.pa_x or row.plover for row in rows if row.type is not ClauseType.OTHER)
    assert rows[0].pa_x == ("Ce", "CeProv", "CeGen")


def test_crosswalk_codes_are_spelt_like_codes() -> None:
    for row in crosswalk_rows():
        assert all(code.isalnum() and code[0].isupper() for code in row.pa_x), row
        assert all(code.isupper() for code in row.plover), row


@pytest.mark.parametrize("name", ["record.schema.json", "crosswalk.tsv"])
def test_the_copies_are_those_of_the_contract(name: str) -> None:
    original = SHARED / name
    if not original.exists():
        pytest.skip("the shared contract does not lie beside this checkout")
    copy = files("treaty_clauses").joinpath(f"data/{name}").read_text(encoding="utf-8")
    if name.endswith(".json"):
        assert json.loads(copy) == json.loads(original.read_text(encoding="utf-8"))
        return

    def rows(text: str) -> list[list[str]]:
        return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]

    assert rows(copy) == rows(original.read_text(encoding="utf-8"))
