"""The gazetteer of actors and places: what the tables under `data/actors` say, and where their names stand in a text.

The tables are tab-separated and kept by hand; `data/actors/README.md` explains columns, marks and sources. A text is compared
with the names after `fold_variants`, which never changes its length, so offsets hold for the text as given.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from treaty_clauses.errors import ConfigError
from treaty_clauses.labels import ActorKind
from treaty_clauses.name_context import DATELINE, TITLE, NameContext, load_name_context
from treaty_clauses.shortforms import ShortForms, ShortMatch, load_short_forms

TABLES = ("states", "organizations", "armed_groups", "persons", "places", "regions", "areas", "cities")

_LONGEST_STATE = 6
_FORCES = ("部隊", "維和部隊")  # closing an organisation's name: 聯合國部隊

# Letters that the press writes in more than one way, one to one (臺/台; the dots and hyphens of transliterated names).
_FOLD = str.maketrans(
    {
        **{chr(0xFF01 + i): chr(0x21 + i) for i in range(0x5E)},
        **dict.fromkeys("・‧•．∙⋅", "·"),
        **dict.fromkeys("－–—‐‑﹣", "-"),
        **dict(zip("臺羣裏祕峯爲衆敍衞綫牀麽着彊", "台群裡秘峰為眾敘衛線床麼著疆", strict=True)),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One actor or place of the gazetteer.

    `key` is the Wikidata id, or kind and name where no id is known. `seat_of` are the keys of the states for which a city
    stands when it acts, today's first (莫斯科 for 俄羅斯, once 蘇聯); `heads` is the state whose government a person heads
    or headed (川普政府 is 美國). `since` and `until` are the years between which a state existed, where that matters.

    `forms` are folded names; of these, `weak` ones are also common words or names of others, and count only in an article
    that names the entry otherwise too (a person's also beside a title), `seats` are seats of government (白宮), and
    `defaults` mean this entry where several share them and the article does not tell. `family` marks a person whose
    surname others in public life share.
    """

    key: str
    name: str
    kind: ActorKind
    wikidata: str | None
    forms: tuple[str, ...]
    weak: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    defaults: frozenset[str] = frozenset()
    seat_of: tuple[str, ...] = ()
    heads: str | None = None
    since: int | None = None
    until: int | None = None
    family: bool = False
    source: str = "curated"


@dataclass(frozen=True, slots=True)
class GazetteerMatch:
    """A name of the gazetteer in a text, `text[start:end]`.

    `entries` are the candidates, likeliest first, and `kind` is the first one's; `rule` says how the name was found:
    "name", "seat" (a government's seat), "institution" (state and institution in one), or a rule of `shortforms`
    ("pair", "after 對", "before 軍" ...).
    """

    start: int
    end: int
    entries: tuple[Entry, ...]
    kind: ActorKind
    form: str
    rule: str


def fold_variants(text: str) -> str:
    """Replace variant letters, dots, hyphens and full-width ASCII one by one; the length stays the same.

    >>> fold_variants("臺北、納戈爾諾－卡拉巴赫")
    '台北、納戈爾諾-卡拉巴赫'
    """
    return text.translate(_FOLD)


class Gazetteer:
    """Actors and places by name. Build it once (`Gazetteer.load`), then share it: it does not change."""

    def __init__(
        self,
        entries: Iterable[Entry],
        *,
        blocked: Iterable[str] = (),
        short_forms: ShortForms | None = None,
        context: NameContext | None = None,
    ) -> None:
        self.entries: tuple[Entry, ...] = tuple(entries)
        self.by_key: Mapping[str, Entry] = {entry.key: entry for entry in self.entries}
        self.short_forms = short_forms or load_short_forms()
        self.context = context or load_name_context()
        by_form: dict[str, list[Entry]] = {}
        for entry in self.entries:
            states = tuple(self.by_key[key] for key in entry.seat_of if key in self.by_key)
            for form in entry.forms:
                owners = by_form.setdefault(form, [])
                owners.extend(owner for owner in (*states, entry) if owner not in owners)
        for form in [form for form in by_form if len(form) > 2 and "里" in form]:  # 馬里 written 馬裡 by converters
            by_form.setdefault(form.replace("里", "裡"), by_form[form])
        self._by_form: dict[str, tuple[Entry, ...]] = {form: tuple(owners) for form, owners in by_form.items()}
        self._homes = {entry.key: home for entry in self.entries if entry.weak and (home := self._home(entry))}
        self._blocked = frozenset(fold_variants(word) for word in blocked)
        lengths: dict[str, set[int]] = {}
        for form in (*self._by_form, *self._blocked):
            if len(form) >= 2:
                lengths.setdefault(form[:2], set()).add(len(form))
        self._lengths: dict[str, tuple[int, ...]] = {
            prefix: tuple(sorted(sizes, reverse=True)) for prefix, sizes in lengths.items()
        }

    @classmethod
    def load(cls) -> "Gazetteer":
        """Read the tables that come with the package; takes about a tenth of a second.

        Raises:
            ConfigError: A table is damaged; the message names table and line.
        """
        folder = resources.files("treaty_clauses") / "data" / "actors"
        entries: dict[str, Entry] = {}
        for table in TABLES:
            for entry in parse_entries((folder / f"{table}.tsv").read_text(encoding="utf-8").splitlines(), table=table):
                if entry.key in entries:
                    raise ConfigError(f"actors/{table}.tsv: {entry.key} {entry.name} is also {entries[entry.key].name}")
                entries[entry.key] = entry
        blocked = (folder / "blocked.txt").read_text(encoding="utf-8").splitlines()
        return cls(entries.values(), blocked=[word for line in blocked if line[:1] != "#" for word in line.split()])

    def _home(self, entry: Entry) -> str | None:
        """The state whose name begins one of a group's names: 哥倫比亞 of 哥倫比亞民族解放軍."""
        if entry.kind not in (ActorKind.ARMED_GROUP, ActorKind.ORGANIZATION):
            return None
        for form in entry.forms:
            for size in range(min(len(form) - 1, _LONGEST_STATE), 1, -1):
                states = [owner for owner in self._by_form.get(form[:size], ()) if owner.kind is ActorKind.STATE]
                if states:
                    return states[0].key
        return None

    def is_at_home(self, entry: Entry, named: Container[str]) -> bool:
        """Whether the state that a group's full name begins with is among the keys `named`."""
        return self._homes.get(entry.key, "") in named

    def named(self, name: str) -> tuple[Entry, ...]:
        """The entries that bear a name, likeliest first; a seat of government gives its states, then the city."""
        return self._by_form.get(fold_variants(name), ())

    def find(self, text: str) -> list[GazetteerMatch]:
        """All names of the gazetteer in a text, longest first from left to right, not overlapping; linear in its length.

        >>> gazetteer = Gazetteer.load()
        >>> [(match.form, match.entries[0].name, match.rule) for match in gazetteer.find("俄烏談判以美元計價")]
        [('俄', '俄羅斯', 'pair'), ('烏', '烏克蘭', 'pair')]
        """
        folded = fold_variants(text)
        taken = [found.span() for silent in (DATELINE, TITLE) for found in silent.finditer(folded)]
        quiet = bytearray(len(folded))
        for start, end in taken:
            quiet[start:end] = b"\x01" * (end - start)
        matches: list[GazetteerMatch] = []
        last_end = -1
        for start, end, core_end in self._scan(folded):
            taken.append((start, end))
            if core_end > start and not quiet[start]:
                owners = self._by_form[folded[start:core_end]]
                match = self._match(text, folded, start, end, core_end, owners)
                if end > core_end or not self._is_embedded(folded, match, last_end):
                    matches.append(match)
                last_end = end
        matches.extend(found for short in self.short_forms.find(folded, taken) if (found := self._short(text, short)))
        matches.sort(key=lambda match: match.start)
        return self._supported(folded, matches)

    def _scan(self, folded: str) -> Iterator[tuple[int, int, int]]:
        """Yield (start, end, end of the name without its institution), left to right; a blocked word has no name."""
        position, length = 0, len(folded)
        while position < length - 1:
            for size in self._lengths.get(folded[position : position + 2], ()):
                core_end = position + size
                if core_end > length:
                    continue
                form = folded[position:core_end]
                if form in self._blocked:
                    if self._is_coverb(folded, position, core_end):
                        continue
                    yield position, core_end, position
                    position = core_end
                    break
                owners = self._by_form.get(form)
                if owners is not None and _is_whole_word(folded, position, core_end):
                    end = self._mention_end(folded, core_end, owners[0])
                    yield position, end, core_end
                    position = end
                    break
            else:
                position += 1

    def _is_coverb(self, folded: str, start: int, end: int) -> bool:
        """Whether 以東 or 以內 is a verb with the beginning of a name: 以東京為基地, 以北約為核心."""
        if folded[start] != "以" or end - start != 2:
            return False
        sizes = self._lengths.get(folded[end - 1 : end + 1], ())
        return any(folded[end - 1 : end - 1 + size] in self._by_form for size in sizes)

    def _mention_end(self, folded: str, core_end: int, first: Entry) -> int:
        if first.kind is ActorKind.STATE:
            return self.context.institution_end(folded, core_end)
        if first.heads is not None and folded.startswith("政府", core_end):
            return core_end + 2
        if first.kind is ActorKind.ORGANIZATION and folded.startswith(_FORCES, core_end):
            return core_end + (2 if folded.startswith("部隊", core_end) else 4)
        return core_end

    def _match(
        self, text: str, folded: str, start: int, end: int, core_end: int, owners: tuple[Entry, ...]
    ) -> GazetteerMatch:
        form, first, rule = folded[start:core_end], owners[0], "name"
        if end > core_end:
            states = tuple(entry for entry in owners if entry.kind is ActorKind.STATE)
            heads = tuple(self.by_key[entry.heads] for entry in owners if entry.heads is not None)
            owners, rule = states or heads or owners, "institution"
        elif form in first.seats:
            rule = "seat"
        elif any(first.key in entry.seat_of for entry in owners):
            if self.context.stands_as_place(folded, start, end):
                owners = tuple(sorted(owners, key=lambda entry: entry.kind is ActorKind.STATE))
            else:
                rule = "seat"
        return GazetteerMatch(start, end, owners, owners[0].kind, text[start:end], rule)

    def _is_embedded(self, folded: str, match: GazetteerMatch, last_end: int) -> bool:
        transliterated = match.kind is ActorKind.PERSON or match.entries[0].source in ("cldr", "geonames")
        if not transliterated or match.form.isascii():
            return False
        after_name = last_end == match.start
        return self.context.is_embedded(folded, match.start, match.end, after_name=after_name)

    def _short(self, text: str, short: ShortMatch) -> GazetteerMatch | None:
        owners = tuple(self.by_key[key] for key in short.keys if key in self.by_key)
        if not owners:
            return None
        form = text[short.start : short.end]
        return GazetteerMatch(short.start, short.end, owners, owners[0].kind, form, short.rule)

    def _supported(self, folded: str, matches: list[GazetteerMatch]) -> list[GazetteerMatch]:
        """Leave out weak names of entries that the text does not name otherwise, nor by title."""
        strong = {match.entries[0].key for match in matches if fold_variants(match.form) not in match.entries[0].weak}
        kept = []
        for match in matches:
            form = fold_variants(match.form)
            owners = tuple(
                entry
                for entry in match.entries
                if form not in entry.weak or entry.key in strong or self.is_at_home(entry, strong)
            )
            if not owners and match.kind is ActorKind.PERSON:
                owners = match.entries if self.context.is_titled(folded, match.start, match.end) else ()
            if owners == match.entries:
                kept.append(match)
            elif owners:
                kept.append(GazetteerMatch(match.start, match.end, owners, owners[0].kind, match.form, match.rule))
        return kept


def _is_whole_word(folded: str, start: int, end: int) -> bool:
    """Whether a name in Latin letters is not cut out of a longer word; names in other scripts always are whole."""
    before, after = folded[start - 1 : start], folded[end : end + 1]
    if folded[start].isascii() and before.isascii() and before.isalnum():
        return False
    return not (folded[end - 1].isascii() and after.isascii() and after.isalnum())


def parse_entries(lines: Iterable[str], *, table: str) -> Iterator[Entry]:
    """Read a table: kind, Wikidata id or -, name, other forms with |, flags, source; # begins a comment line.

    Raises:
        ConfigError: A line has not six columns, an unknown kind or flag, or a malformed id.
    """
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        try:
            kind, wikidata, name, others, flags, source = line.split("\t")
            actor_kind = ActorKind(kind)
        except ValueError as error:
            raise ConfigError(
                f"actors/{table}.tsv:{number}: expected six columns and a known kind: {line!r}"
            ) from error
        if wikidata != "-" and not (wikidata[:1] == "Q" and wikidata[1:].isdigit()):
            raise ConfigError(f"actors/{table}.tsv:{number}: {wikidata!r} is no Wikidata id; write Q... or -")
        options = dict(flag.partition("=")[::2] for flag in flags.split(",") if flag != "-")
        if unknown := set(options) - {"seat", "heads", "since", "until", "family"}:
            raise ConfigError(f"actors/{table}.tsv:{number}: unknown flags {sorted(unknown)}")
        yield _entry(actor_kind, wikidata, name, others, options, source)


def _entry(kind: ActorKind, wikidata: str, name: str, others: str, options: Mapping[str, str], source: str) -> Entry:
    plain = name.rstrip("?").partition("（")[0]  # 民族解放軍（哥倫比亞）: the bracket only tells entries apart
    forms: dict[str, None] = {}
    marks: dict[str, set[str]] = {"?": set(), "!": set(), "@": set()}
    for written in (f"{plain}?" if name.endswith("?") else plain, *(others.split("|") if others != "-" else ())):
        form = fold_variants(written.strip("@?!"))
        forms[form] = None
        for mark in (written[0], written[-1]):
            if mark in marks:
                marks[mark].add(form)
    return Entry(
        key=wikidata if wikidata != "-" else f"{kind}:{name.rstrip('?')}",
        name=plain,
        kind=kind,
        wikidata=wikidata if wikidata != "-" else None,
        forms=tuple(forms),
        weak=frozenset(marks["?"]),
        seats=frozenset(marks["@"]),
        defaults=frozenset(marks["!"]),
        seat_of=tuple(options["seat"].split("+")) if "seat" in options else (),
        heads=options.get("heads"),
        since=int(options["since"]) if "since" in options else None,
        until=int(options["until"]) if "until" in options else None,
        family="family" in options,
        source=source,
    )
