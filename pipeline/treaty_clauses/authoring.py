"""The authoring format: an article as text, its annotation in YAML by quotes, compiled to offsets.

Quotes are looked up in the text; `quote##2` is the second occurrence. Each form of an actor or proposal marks all its
occurrences, longest form first. Every mistake is reported with file and line.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from treaty_clauses.errors import AnnotationError
from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.types import SCHEMA_VERSION, ArticleRecord

try:  # seven times as fast, where PyYAML was built with libyaml
    from yaml import CSafeLoader as _SafeLoader
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_LINE = "\0line"  # key under which a mapping keeps the number of its first line
_TOP = {"article", "actors", "compounds", "not_mentions", "proposals", "clauses"}
_CLAUSE = {"p", "type", "mod", "status", "mentions", "conditions", "terms", *(role.value for role in Role)}
_TERM = {"q", "role", "value", "high", "unit", "cmp", "anchor"}
_CLAUSE_LISTS = _CLAUSE - {"p", "type", "mod", "status"}
_PARTS: dict[str, type[Any]] = {
    "actors": dict,
    "compounds": dict,
    "not_mentions": list,
    "proposals": list,
    "clauses": list,
}
_NAMES: dict[type[Any], str] = {dict: "mapping", list: "list"}
_FINAL_PUNCTUATION = "。！？；，、：」』"
# guidelines section 5, then UCUM as far as articles needed
_UNITS = frozenset(
    "person item ratio hour day week month year date km m km2 W Wh t bbl "
    "min s kg L m3 har kW MW GW kWh MWh GWh Cel [ft_i] [mi_i] [nmi_i]".split()
)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What the authoring file says of an article beyond its annotation: for splits and statistics."""

    event: str | None
    style: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """One annotation turned into a record."""

    record: ArticleRecord
    info: SourceInfo


class _Loader(_SafeLoader):
    """Keeps the line of every mapping."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    table: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    table[_LINE] = node.start_mark.line + 1
    return table


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def compile_annotation(text: str, path: Path) -> Compiled:
    """Compile the YAML annotation at `path` against its article's text.

    Raises:
        AnnotationError: One message with every mistake on a line of its own, `file:line: what, and what to do`.
    """
    try:
        table = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AnnotationError(f"{path}: cannot read the annotation: {error}") from error
    if not isinstance(table, dict) or not isinstance(table.get("article"), dict):
        raise AnnotationError(f"{path}:1: expected a mapping with `article`, `actors`, `proposals`, `clauses`")
    return _Compiler(text, path, table).compile()


@dataclass
class _Compiler:
    text: str
    path: Path
    table: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def compile(self) -> Compiled:
        self._unknown_keys(self.table, _TOP)
        self._check_makes()
        if self.problems:
            raise AnnotationError("\n".join(self.problems))
        self._taken = [False] * len(self.text)
        article = self.table["article"]
        proposals = self._proposals()
        actors = self._actors()
        self._clauses(proposals, actors)
        record = None
        published = article.get("published")
        try:
            record = ArticleRecord.model_validate(
                {
                    "schema_version": SCHEMA_VERSION,
                    "article": {
                        "id": str(article.get("id")),
                        "title": article.get("title"),
                        "published": str(published) if published else None,
                        "sha256": hashlib.sha256(self.text.encode()).hexdigest(),
                        "length": len(self.text),
                    },
                    "actors": tuple(a for a in actors.values() if a["mentions"]),
                    "proposals": tuple(proposals.values()),
                }
            )
        except ValidationError as error:
            for part in error.errors():
                where = ".".join(str(step) for step in part["loc"])
                self._problem(self.table, f"{where}: {part['msg']}, found {part['input']!r}")
        if self.problems or record is None:
            raise AnnotationError("\n".join(self.problems))
        info = SourceInfo(*(str(article[key]) if article.get(key) else None for key in ("event", "style", "region")))
        return Compiled(record, info)

    def _problem(self, table: Mapping[Any, Any], message: str) -> None:
        self.problems.append(f"{self.path}:{table.get(_LINE, 1)}: {message}")

    def _unknown_keys(self, table: Mapping[Any, Any], known: set[str]) -> None:
        for key in table:
            if key != _LINE and key not in known:
                self._problem(table, f"unknown key {key!r}; expected one of {', '.join(sorted(known))}")

    def _check_makes(self) -> None:
        """Lists and mappings stand where they are expected: a bare string would be read letter by letter."""
        entries: list[tuple[str, Any, set[str]]] = []
        for key, kind in _PARTS.items():
            part = self.table.get(key)
            if part is not None and not isinstance(part, kind):
                self._problem(self.table, f"`{key}` must be a {_NAMES[kind]}, found {part!r}")
            elif key == "actors" and part:
                entries += [(f"actor {name}", entry, {"forms"}) for name, entry in part.items() if name != _LINE]
            elif key in ("proposals", "clauses"):
                lists = {"forms", "proposers"} if key == "proposals" else _CLAUSE_LISTS
                entries += [(f"{key} entry {number}", entry, lists) for number, entry in enumerate(part or [], start=1)]
        for name, entry, lists in entries:
            if not isinstance(entry, dict):
                self._problem(self.table, f"{name} must be a mapping, found {entry!r}")
                continue
            for key in sorted(lists):
                if not isinstance(entry.get(key), list | None):
                    self._problem(entry, f"{name}: `{key}` must be a list, found {entry[key]!r}; write [{entry[key]}]")
            for term in entry.get("terms") or []:
                if isinstance(entry["terms"], list) and not isinstance(term, dict):
                    self._problem(entry, f"{name}: each term must be a mapping, found {term!r}")

    def _find(
        self, quote: object, owner: Mapping[Any, Any], low: int = 0, high: int | None = None
    ) -> dict[str, Any] | None:
        form, _, number = str(quote).partition("##")
        position = low - 1
        for _ in range(int(number or 1)):
            position = self.text.find(form, position + 1, high)
            if position < 0:
                self._problem(owner, f"quote {quote!r} is not in the text; copy it from there exactly")
                return None
        return {"start": position, "end": position + len(form), "text": form}

    def _mark(self, mention: Mapping[str, Any]) -> None:
        self._taken[mention["start"] : mention["end"]] = [True] * (mention["end"] - mention["start"])

    def _occurrences(self, form: str) -> list[dict[str, Any]]:
        found = []
        for match in re.finditer(re.escape(form), self.text):
            if not any(self._taken[match.start() : match.end()]):
                mention = {"start": match.start(), "end": match.end(), "text": form}
                self._mark(mention)
                found.append(mention)
        return found

    def _proposals(self) -> dict[str, dict[str, Any]]:
        proposals: dict[str, dict[str, Any]] = {}
        for entry in self.table.get("proposals") or []:
            self._unknown_keys(entry, {"id", "name", "forms", "proposers", "date"})
            mentions: list[dict[str, Any]] = []
            for form in sorted((str(f) for f in entry.get("forms") or []), key=len, reverse=True):
                if "##" in form:
                    mention = self._find(form, entry)
                    if mention:
                        mentions.append(mention)
                        self._mark(mention)
                else:
                    found = self._occurrences(form)
                    if not found and form not in self.text:
                        self._problem(entry, f"proposal form {form!r} is not in the text")
                    mentions.extend(found)
            proposals[str(entry.get("id"))] = {
                "id": str(entry.get("id")),
                "name": entry.get("name"),
                "proposers": tuple(entry.get("proposers") or ()),
                "date": str(entry["date"]) if entry.get("date") else None,
                "mentions": tuple(sorted(mentions, key=lambda m: int(m["start"]))),
                "clauses": [],
                _LINE: entry.get(_LINE),
            }
        return proposals

    def _actors(self) -> dict[str, dict[str, Any]]:
        actors: dict[str, dict[str, Any]] = {}
        forms: list[tuple[str, list[tuple[str, int, int]]]] = []
        for key, entry in (self.table.get("actors") or {}).items():
            if key == _LINE:
                continue
            if not isinstance(key, str):
                self._problem(
                    entry, f"actor key {key!r} is no string (YAML reads NO, ON, Y as truth values); rename it"
                )
                continue
            self._unknown_keys(entry, {"name", "kind", "wikidata", "forms"})
            if entry.get("kind") not in set(ActorKind):
                self._problem(entry, f"actor {key}: kind {entry.get('kind')!r}; expected {', '.join(ActorKind)}")
            actors[key] = {k: entry.get(k) for k in ("name", "kind", "wikidata")} | {"id": key, "mentions": []}
            for form in (str(f) for f in entry.get("forms") or []):
                if "##" in form:
                    mention = self._find(form, entry)
                    if mention:
                        actors[key]["mentions"].append(mention)
                        self._mark(mention)
                else:
                    forms.append((form, [(key, 0, len(form))]))
        for compound, keys in (self.table.get("compounds") or {}).items():
            if compound != _LINE:
                forms.append((str(compound), [(k, i, i + 1) for i, k in enumerate(keys) if k]))
        forms.extend((str(form), []) for form in self.table.get("not_mentions") or [])
        for form, parts in sorted(forms, key=lambda pair: -len(pair[0])):
            for match in self._occurrences(form):
                for key, first, last in parts:
                    if key not in actors:
                        self._problem(self.table, f"compound {form!r} names the unknown actor {key!r}")
                        continue
                    start = match["start"]
                    actors[key]["mentions"].append(
                        {"start": start + first, "end": start + last, "text": self.text[start + first : start + last]}
                    )
        for key, actor in actors.items():
            actor["mentions"].sort(key=lambda m: m["start"])
            if not actor["mentions"]:
                self._problem(
                    (self.table["actors"] or {})[key], f"actor {key} has no mention in the text; mend its forms"
                )
        return actors

    def _clauses(self, proposals: dict[str, dict[str, Any]], actors: dict[str, dict[str, Any]]) -> None:
        spans: list[tuple[int, int, int]] = []
        for proposal in proposals.values():
            for key in proposal["proposers"]:
                if key not in actors:
                    self._problem(proposal, f"proposal {proposal['id']}: unknown proposer {key!r}")
            proposal.pop(_LINE)
        for number, entry in enumerate(self.table.get("clauses") or [], start=1):
            self._unknown_keys(entry, _CLAUSE)
            mentions = [m for m in (self._find(quote, entry) for quote in entry.get("mentions") or []) if m]
            for mention in mentions:
                for start, end, other in spans:
                    if mention["start"] < end and start < mention["end"]:
                        self._problem(entry, f"clause {number} {mention['text'][:20]!r} overlaps clause {other}")
                spans.append((mention["start"], mention["end"], number))
            conditions = [m for m in (self._find(quote, entry) for quote in entry.get("conditions") or []) if m]
            self._lint_spans(entry, number, mentions, conditions)
            for key, allowed in (("type", ClauseType), ("mod", Modality), ("status", Status)):
                if entry.get(key) not in set(allowed):
                    self._problem(entry, f"clause {number}: {key} {entry.get(key)!r}; expected {', '.join(allowed)}")
            for role in Role:
                for key in entry.get(role.value) or []:
                    if key not in actors:
                        self._problem(entry, f"clause {number}: {role} names the unknown actor {key!r}")
            if str(entry.get("p")) not in proposals:
                self._problem(entry, f"clause {number}: unknown proposal {entry.get('p')!r}")
                continue
            if not mentions:
                self._problem(entry, f"clause {number} has no mention")
                continue
            clause = {
                "id": f"c{number}",
                "type": entry.get("type"),
                "modality": entry.get("mod"),
                "status": entry.get("status"),
                "text": mentions[0]["text"],
                "mentions": mentions,
                "terms": self._terms(entry, number, mentions + conditions),
                "conditions": conditions,
                "confidence": 1.0,
            } | {role.value: entry.get(role.value) or [] for role in Role}
            proposals[str(entry["p"])]["clauses"].append(clause)

    def _lint_spans(
        self, entry: Mapping[Any, Any], number: int, mentions: list[dict[str, Any]], conditions: list[dict[str, Any]]
    ) -> None:
        for what, spans in (("span", mentions), ("condition", conditions)):
            for span in spans:
                if span["text"][-1] in _FINAL_PUNCTUATION and not _balanced(span["text"]):
                    self._problem(entry, f"clause {number}: {what} {span['text']!r} ends in punctuation; cut it off")
                if "\n" in span["text"]:
                    self._problem(entry, f"clause {number}: {what} crosses a line break")
        for condition in conditions:
            if any(condition["start"] == mention["start"] for mention in mentions):
                self._problem(entry, f"clause {number} begins with its own condition; leave the condition outside")

    def _terms(self, entry: Mapping[Any, Any], number: int, homes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        terms = []
        for term in entry.get("terms") or []:
            self._unknown_keys(term, _TERM)
            quote = str(term.get("q"))
            starts = (self.text.find(quote, home["start"], home["end"]) for home in homes)
            start = next((s for s in starts if s >= 0), None)
            if start is None:
                self._problem(entry, f"clause {number}: term {quote!r} is not inside its mentions or conditions")
                continue
            unit, value, comparator = str(term.get("unit")), term.get("value"), term.get("cmp", "eq")
            if term.get("role") not in set(TermRole):
                self._problem(entry, f"clause {number}: term role {term.get('role')!r}; expected {', '.join(TermRole)}")
            if comparator not in set(Comparator):
                self._problem(entry, f"clause {number}: cmp {comparator!r}; expected {', '.join(Comparator)}")
            if unit not in _UNITS and not re.fullmatch(r"[A-Z]{3}", unit):
                self._problem(entry, f"clause {number}: unit {unit!r}; expected a unit of the guidelines or ISO 4217")
            if unit != "date" and (isinstance(value, bool) or not isinstance(value, int | float)):
                self._problem(entry, f"clause {number}: value {value!r} of unit {unit} must be a number")
            terms.append(
                {
                    "role": term.get("role"),
                    "start": start,
                    "end": start + len(quote),
                    "text": quote,
                    "comparator": comparator,
                    "value": value if isinstance(value, int | float) else str(value),
                    "high": None if term.get("high") is None else _plain(term["high"]),
                    "unit": unit,
                    "anchor": self._find(term["anchor"], entry) if term.get("anchor") else None,
                }
            )
        return terms


def _balanced(text: str) -> bool:
    """Whether a closing quotation mark at the end closes one inside."""
    pairs = {"」": "「", "』": "『"}
    return text[-1] in pairs and pairs[text[-1]] in text


def _plain(value: Any) -> int | float | str:
    return value if isinstance(value, int | float) else str(value)
