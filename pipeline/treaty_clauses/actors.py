"""Who is meant: links the actor mentions of an article to entries of the gazetteer, or to one another, or refuses.

A link says by which form and which rule it was made. Nothing is guessed: where several entries bear a name and the article
does not say which is meant, the mention stays unlinked. Unlinked mentions still get a `key`, shared by all mentions of one
actor within the article.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from treaty_clauses.actor_groups import Link, group_mentions
from treaty_clauses.gazetteer import Entry, Gazetteer, GazetteerMatch, fold_variants
from treaty_clauses.labels import ActorKind
from treaty_clauses.rows import answer_rows, text_of

# Words before a name that are no part of it (前蘇聯總統 names 蘇聯; 原中東鐵路).
_PREFIXES = ("前", "原", "新", "老", "大", "舊")
_GROUPS = (ActorKind.ARMED_GROUP, ActorKind.ORGANIZATION)
_GROUP_ENDINGS = (
    "武裝分子",
    "武裝組織",
    "武裝",
    "組織",
    "叛軍",
    "部隊",
    "民兵",
    "運動",
    "游擊隊",
    "武裝團體",
    "分子",
    "維和部隊",
)
_MINISTRY_ENDINGS = (
    "部",
    "署",
    "司令部",
    "大使館",
    "辦公室",
    "最高法院",
    "安全局",
    "情報局",
    "檢察院",
    "使團",
    "代表團",
)
_SIDES = ("國", "軍", "方")
# Of two candidates that an article both names in full, one is meant where it is named this many times as often.
_DOMINANCE = 3


def link_mentions(
    text: str,
    spans: Sequence[tuple[int, int]],
    gazetteer: Gazetteer,
    *,
    kinds: Sequence[ActorKind | None] | None = None,
    published: date | None = None,
) -> list[Link]:
    """Link actor spans of one article, in the order given.

    Args:
        text: The article's text; offsets count its code points.
        spans: Exact spans of mentions, `[start, end)`.
        gazetteer: The names to link to.
        kinds: What each span is, where that is known (for instance from the tagger); decides between a city and the state
            that it may stand for.
        published: The article's date, where known; tells a state from its predecessors (俄國 before 1917).

    >>> text = "巴基斯坦外長說，印巴停火"
    >>> [(link.name, link.rule) for link in link_mentions(text, [(0, 4), (9, 10)], Gazetteer.load())]
    [('巴基斯坦', 'name'), ('巴基斯坦', 'pair')]
    """
    folded = fold_variants(text)
    linker = _Linker(folded, gazetteer, published)
    hints = kinds if kinds is not None else [None] * len(spans)
    links = [linker.link(start, end, kind, text[start:end]) for (start, end), kind in zip(spans, hints, strict=True)]
    return group_mentions(folded, links, gazetteer.context.institutions)


def actors_jsonl(lines: Iterable[str], gazetteer: Gazetteer | None = None) -> Iterator[str]:
    """Find and link the names of the gazetteer in JSON Lines `{"id", "text"}`, one answer a line, in order.

    Yields:
        `{"id", "actors": [{"start", "end", "text", "kind", "wikidata", "name", "rule"}]}`, or `{"id", "error"}` for a line
        that cannot be read; empty lines are passed over.
    """
    known = gazetteer or Gazetteer.load()

    def answer(row: dict[str, Any], number: int) -> dict[str, Any]:
        return {"actors": _actors_in(text_of(row, number), known)}

    return answer_rows(lines, answer)


def _actors_in(text: str, gazetteer: Gazetteer) -> list[dict[str, Any]]:
    matches = gazetteer.find(text)
    links = link_mentions(
        text, [(match.start, match.end) for match in matches], gazetteer, kinds=[match.kind for match in matches]
    )
    return [
        {
            "start": link.start,
            "end": link.end,
            "text": text[link.start : link.end],
            "kind": str(link.kind or match.kind),
            "wikidata": link.wikidata,
            "name": link.name,
            "rule": link.rule,
        }
        for link, match in zip(links, matches, strict=True)
    ]


class _Linker:
    """Links single spans of one article; knows which entries the article names beyond doubt."""

    def __init__(self, folded: str, gazetteer: Gazetteer, published: date | None) -> None:
        self.folded = folded
        self.gazetteer = gazetteer
        self.year = published.year if published else None
        matches = gazetteer.find(folded)
        self.evidence = Counter(self._certain(matches))
        self.initials = _initials(matches)
        self.full = frozenset(key for keys in self.initials.values() for key in keys)
        self.institutions = _institutions_in(matches, gazetteer.context.institutions)

    def _certain(self, matches: Sequence[GazetteerMatch]) -> Iterator[str]:
        """Keys of the entries that the article names beyond doubt: by a name that only they bear, or in a compound."""
        for match in matches:
            if match.rule in ("name", "institution", "pair"):
                owners = self._alive(match.entries)
                if len(owners) == 1 or fold_variants(match.form) in owners[0].defaults:
                    yield owners[0].key

    def _alive(self, candidates: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """The candidates that existed when the article appeared; all of them where that is not known."""
        if self.year is None:
            return candidates
        year = self.year
        return tuple(e for e in candidates if (e.since or 0) <= year <= (e.until or 9999)) or candidates

    def link(self, start: int, end: int, kind: ActorKind | None, surface: str) -> Link:
        form = self.folded[start:end].strip(" 「」『』“”\"'")
        candidates, used, rule = self._candidates(form, start)
        candidates = self._of_kind(candidates, kind, start, end)
        entry, rule = self._choose(candidates, used, rule, kind)
        if kind in (None, ActorKind.STATE) and (entry is None or entry.key not in self.full):
            entry, used, rule = self._by_initial(form, kind) or (entry, used, rule)
        if kind is ActorKind.STATE and (entry is None or entry.kind in _GROUPS):
            entry, used, rule = self._by_organ(form) or (entry, used, rule)
        if entry is None:
            return Link(start, end, f"name:{form}", surface, None, None, used, rule)
        return Link(start, end, entry.key, entry.name, entry.kind, entry.wikidata, used, rule)

    def _candidates(self, form: str, start: int) -> tuple[tuple[Entry, ...], str, str]:
        """The entries a mention may mean, the form that names them, and how it was found."""
        gazetteer = self.gazetteer
        if len(form) == 1:
            keys, rule = gazetteer.short_forms.reading(self.folded, start)
            return tuple(gazetteer.by_key[key] for key in keys if key in gazetteer.by_key), form, rule
        if owners := gazetteer.named(form):
            seats = [owner for owner in owners if owner.seat_of or form in owner.seats]
            return owners, form, "seat" if seats else "name"
        if form in gazetteer.context.institutions:
            keys = tuple(sorted(self.institutions.get(form, ()))) or self._leading_state()
            return tuple(gazetteer.by_key[key] for key in keys), form, "article" if keys else "unlisted"
        for suffix in _institutions_at_end(form, gazetteer.context.institutions):
            stem = form[: -len(suffix)]
            if states := self._states(stem, start):
                return states, stem, "institution"
            heads = [owner.heads for owner in gazetteer.named(stem) if owner.heads is not None]
            if heads and suffix == "政府":
                return (gazetteer.by_key[heads[0]],), stem, "institution"
        if len(form) > 2 and form.startswith(_PREFIXES) and (owners := gazetteer.named(form[1:])):
            return owners, form[1:], "name"
        if form.endswith(_MINISTRY_ENDINGS):
            for size in range(len(form) - 2, 1, -1):
                if states := self._states(form[:size], start):
                    return states, form[:size], "institution"
        if owners := self._trimmed(form):
            return owners, form, "part"
        if "·" in form:
            last = form.rsplit("·", 1)[1]
            people = tuple(owner for owner in gazetteer.named(last) if owner.kind is ActorKind.PERSON)
            if people and not any(owner.family for owner in people):
                return people, last, "last part"
        return (), form, "unlisted"

    def _trimmed(self, form: str) -> tuple[Entry, ...]:
        """An organisation or group with its country before it or a general word behind: 黎真主黨武裝, 聯合國部隊."""
        for ending in ("", *_GROUP_ENDINGS):
            if not form.endswith(ending):
                continue
            core = form[: len(form) - len(ending)]
            for cut in range(0, min(len(core) - 1, 6)):
                if cut and not (self.gazetteer.named(core[:cut]) or core[:cut] in self.gazetteer.short_forms.names):
                    continue
                owners = self.gazetteer.named(core[cut:])
                owners = tuple(owner for owner in owners if owner.kind in _GROUPS and core[cut:] not in owner.weak)
                if owners:
                    return owners
        return ()

    def _by_initial(self, form: str, kind: ActorKind | None) -> tuple[Entry, str, str] | None:
        """斯方, 斯 in an article that names 斯里蘭卡 in full and no other state that begins so."""
        if form[1:] not in _SIDES and not (len(form) == 1 and kind is ActorKind.STATE):
            return None
        if form[:1] in self.gazetteer.short_forms.context.powers:
            return None
        states = self.initials.get(form[:1], set())
        return (self.gazetteer.by_key[min(states)], form[:1], "article") if len(states) == 1 else None

    def _by_organ(self, form: str) -> tuple[Entry, str, str] | None:
        """An organ by its kind that no table lists: one behind its state (香港消防處), or usually of one that is named (參議院)."""
        for size in range(len(form) - 1, 1, -1):
            if owners := tuple(owner for owner in self.gazetteer.named(form[:size]) if owner.kind is ActorKind.STATE):
                entry, rule = self._choose(owners, form[:size], "institution", ActorKind.STATE)
                return None if entry is None else (entry, form[:size], rule)
        organs = self.gazetteer.context.organs
        for size in range(len(form), 1, -1):
            named = [key for key in organs.get(form[:size], ()) if self.evidence[key] and key in self.gazetteer.by_key]
            if named:
                return self.gazetteer.by_key[named[0]], form, "article"
        return None

    def _leading_state(self) -> tuple[str, ...]:
        """The state that the article names far more often than any other: whose 政府軍 it means, where it names none."""
        states = [key for key, _ in self.evidence.most_common() if self.gazetteer.by_key[key].kind is ActorKind.STATE]
        counts = [self.evidence[key] for key in states[:2]]
        return (states[0],) if len(counts) == 1 or (counts and counts[0] >= _DOMINANCE * counts[1]) else ()

    def _states(self, stem: str, start: int) -> tuple[Entry, ...]:
        if len(stem) == 1:
            keys, _ = self.gazetteer.short_forms.reading(self.folded, start)
            return tuple(self.gazetteer.by_key[key] for key in keys if key in self.gazetteer.by_key)
        return tuple(owner for owner in self.gazetteer.named(stem) if owner.kind is ActorKind.STATE)

    def _of_kind(
        self, candidates: tuple[Entry, ...], kind: ActorKind | None, start: int, end: int
    ) -> tuple[Entry, ...]:
        """Decide between a city and its state: by the kind given, else by the words beside it."""
        wanted = tuple(entry for entry in candidates if kind is not None and entry.kind == kind)
        states = {state for entry in candidates for state in entry.seat_of}
        if wanted:
            candidates = wanted
        elif states:
            acts = not self.gazetteer.context.stands_as_place(self.folded, start, end)
            candidates = tuple(entry for entry in candidates if (entry.key in states) is acts) or candidates
        return candidates

    def _choose(
        self, candidates: tuple[Entry, ...], form: str, rule: str, kind: ActorKind | None
    ) -> tuple[Entry | None, str]:
        """The one candidate; the one that the article names in full; the one usually meant; else None."""
        if len(candidates) == 1:
            only = candidates[0]
            marked = only.kind is ActorKind.PERSON or only.kind is kind is ActorKind.PLACE
            marked = marked or (only.kind is kind is ActorKind.STATE and form[1:] in _SIDES)
            known = self.evidence[only.key] or self.gazetteer.is_at_home(only, self.evidence)
            doubtful = form in only.weak and not marked and not known
            return (None, "unlisted") if doubtful else (only, rule)
        if not candidates:
            return None, rule
        named = [entry for entry in candidates if self.evidence[entry.key]] or [
            entry for entry in candidates if form in entry.weak and self.gazetteer.is_at_home(entry, self.evidence)
        ]
        alive = self._alive(candidates)
        if len(alive) == 1 and (not named or alive[0] in named):
            return alive[0], rule if self._is_default(alive[0], candidates, form) else "date"
        if len(named) == 1:
            return named[0], "article"
        candidates = alive
        for entry in named or candidates:
            if self._is_default(entry, candidates, form):
                return entry, rule
        if named:
            first, second = sorted((self.evidence[entry.key] for entry in named), reverse=True)[:2]
            if first >= _DOMINANCE * second:
                return max(named, key=lambda entry: self.evidence[entry.key]), "article"
        return None, "ambiguous"

    def _is_default(self, entry: Entry, candidates: tuple[Entry, ...], form: str) -> bool:
        if form in entry.defaults:
            return True
        if entry is not candidates[0]:
            return False
        short = self.gazetteer.short_forms.names.get(form)
        if short is not None:
            return short.default and entry.key == short.keys[0]
        return any(entry.key in city.seat_of for city in self.gazetteer.named(form))


def _initials(matches: Sequence[GazetteerMatch]) -> dict[str, set[str]]:
    """The states that an article names in full, by the character that the name begins with."""
    found: dict[str, set[str]] = {}
    for match in matches:
        first = match.entries[0]
        if match.rule in ("name", "institution") and first.kind is ActorKind.STATE and match.end - match.start > 1:
            found.setdefault(fold_variants(match.form)[0], set()).add(first.key)
    return found


def _institutions_in(matches: Sequence[GazetteerMatch], institutions: Collection[str]) -> dict[str, set[str]]:
    """Which states' institutions an article names together with the state: {"國務院": {"Q30"}}."""
    found: dict[str, set[str]] = {}
    for match in matches:
        if match.rule == "institution" and len(match.entries) == 1:
            for ending in _institutions_at_end(fold_variants(match.form), institutions):
                found.setdefault(ending, set()).add(match.entries[0].key)
                break
    return found


def _institutions_at_end(form: str, institutions: Collection[str]) -> Iterator[str]:
    for size in range(min(len(form) - 1, 8), 0, -1):
        ending = form[-size:]
        if ending in institutions or ending in ("軍", "方", "國", "兵"):
            yield ending
