"""One-character names of states in running text: 俄烏, 對俄, 烏軍, 美、英、法 - and not those in 以為, 日前, 美元, 其中.

A character counts only where a rule says so; the rules look at its neighbours alone, so they are quick and can be read:

- pair: two or more characters in a row that make a known compound (`data/actors/pairs.tsv`), each a mention;
- list: characters between enumeration commas (美、英、法);
- after X: behind a verb or preposition that takes a state (對俄, 訪美, 駐韓), guidelines section 8;
- before X: in front of an institution, a title or 軍/方/國 (烏軍, 美方, 俄外長); institutions and 軍/方/國 belong to the
  mention (guidelines section 4), titles do not;
- subject: at the start of a sentence part before a verb (俄稱, 烏促), as headlines write.

`data/actors/short.tsv` holds, for each character, the states it may mean and the neighbours with which it makes another
word; `data/actors/context.toml` the words of the rules.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from treaty_clauses.errors import ConfigError
from treaty_clauses.name_context import letters, read_context, words

_SHORTEST_RUN = 3  # two of the powers in a row can be another word (中美洲, 日中)


@dataclass(frozen=True, slots=True)
class ShortName:
    """A character that can stand for a state: `keys` likeliest first.

    `default` says that the first of `keys` is meant when the article names none of them in full. `use` tells which rules
    apply: "plain" characters (俄, 韓) seldom begin or end other words and take all, "strict" ones (以, 日) need a pair, an
    institution or one of the strongest verbs, "pair" ones (兩, 海) only count in compounds. A neighbour in `not_before`
    or `not_after` makes another word of it.
    """

    char: str
    keys: tuple[str, ...]
    default: bool
    use: str
    not_after: frozenset[str]
    not_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class ShortMatch:
    """A short form in a text, `text[start:end]`: `keys` are the states it may mean, likeliest first."""

    start: int
    end: int
    keys: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class ShortContext:
    """The word lists of the rules, `[short]` in `data/actors/context.toml`."""

    strong_before: frozenset[str]
    plain_before: frozenset[str]
    strong_not_behind: frozenset[str]
    titles: tuple[str, ...]
    titles_strict: tuple[str, ...]
    whole: tuple[str, ...]
    verbs: frozenset[str]
    speaks: frozenset[str]
    subject_start: frozenset[str]
    closers: frozenset[str]
    together: tuple[str, ...]
    powers: frozenset[str]
    not_after_whole: Mapping[str, frozenset[str]]


class ShortForms:
    """The rules for one-character names, over the tables of characters, compounds and context words."""

    def __init__(
        self,
        names: Mapping[str, ShortName],
        pairs: Mapping[str, tuple[tuple[str, ...], bool]],
        context: ShortContext,
    ) -> None:
        self.names = names
        self.pairs = pairs
        self.context = context
        self._any = re.compile(f"[{''.join(names)}]") if names else None

    def find(self, folded: str, taken: Sequence[tuple[int, int]]) -> list[ShortMatch]:
        """The one-character names outside `taken`, the [start, end) of longer names and words."""
        if self._any is None:
            return []
        free = bytearray(b"\x01" * len(folded))
        for start, end in taken:
            free[start:end] = bytes(end - start)
        matches: list[ShortMatch] = []
        resume = 0
        for found in self._any.finditer(folded):
            start = found.start()
            if start < resume or not free[start]:
                continue
            for match in self._at(folded, free, start):
                matches.append(match)
                resume = match.end
        return matches

    def reading(self, folded: str, start: int) -> tuple[tuple[str, ...], str]:
        """What the character at `start`, known to be a name, may mean, and the rule: by its pair, else alone."""
        for left in (start, start - 1):
            if left >= 0 and (pair := self.pairs.get(folded[left : left + 2])) is not None:
                return (pair[0][start - left],), "pair"
        name = self.names.get(folded[start])
        return (name.keys, "short") if name else ((), "unlisted")

    def _at(self, folded: str, free: bytearray, start: int) -> Iterator[ShortMatch]:
        name = self.names[folded[start]]
        before = folded[start - 1 : start]
        strong = self._is_behind_strong(folded, start)
        if before != "" and before in name.not_before and not (strong and name.use == "plain"):
            return
        if not strong and (chain := self._chain(folded, free, start)):
            yield from chain
            return
        if name.use == "pair":
            return
        if listed := self._list(folded, free, start):
            yield from listed
            return
        match = self._before_institution(folded, start, name) or self._after_verb(folded, start, name)
        if match is None and name.use == "plain":
            match = self._as_subject(folded, start, name)
        if match is not None:
            yield match

    def _chain(self, folded: str, free: bytearray, start: int) -> list[ShortMatch]:
        """Known pairs in a row (俄烏, 美日韓), or three or more of the powers in any order (美英法俄中)."""
        end, guards = start, [False]
        keys = [""]
        while end + 1 < len(folded) and free[end + 1] and (pair := self.pairs.get(folded[end : end + 2])) is not None:
            readings, guarded = pair
            if end > start and keys[-1] != readings[0]:
                break
            keys = [*keys[:-1], *readings]
            guards.append(guarded)
            end += 1
        powers = start
        while powers < len(folded) and free[powers] and folded[powers] in self.context.powers:
            powers += 1
        if powers - start >= _SHORTEST_RUN and powers - 1 > end:
            end, guards = powers - 1, [False] * (powers - start)
            keys = [self.names[char].keys[0] for char in folded[start:powers]]
        before = folded[start - 1 : start]
        headline = before == "" or before in self.context.subject_start
        while end > start and not headline and not self._closes(folded, end, guarded=any(guards[: end - start + 1])):
            end -= 1  # 美中日前: the last character begins another word
        if end == start:
            return []
        return [ShortMatch(at, at + 1, (keys[at - start],), "pair") for at in range(start, end + 1)]

    def _closes(self, folded: str, last: int, *, guarded: bool) -> bool:
        """Whether a compound may end with the character at `last`: it does not begin another word with its neighbour."""
        name, after = self.names[folded[last]], folded[last + 1 : last + 2]
        cut = name.use != "plain" and after != "" and after in name.not_after
        return not (guarded or cut) or folded.startswith(self.context.together, last + 1)

    def _list(self, folded: str, free: bytearray, start: int) -> list[ShortMatch]:
        """美、英、法: characters between enumeration commas, closed by a comma, a conjunction or a number."""
        ends = [start]
        while (
            folded[ends[-1] + 1 : ends[-1] + 2] in ("、", "和", "與", "及")
            and folded[ends[-1] + 2 : ends[-1] + 3] in self.names
            and free[ends[-1] + 2]
        ):
            ends.append(ends[-1] + 2)
        if len(ends) < 2 or "、" not in folded[start : ends[-1]]:
            return []
        last, after = self.names[folded[ends[-1]]], folded[ends[-1] + 1 : ends[-1] + 2]
        if after and after not in self.context.closers and after in last.not_after:
            return []
        return [ShortMatch(end, end + 1, self.names[folded[end]].keys, "list") for end in ends]

    def _before_institution(self, folded: str, start: int, name: ShortName) -> ShortMatch | None:
        context = self.context
        for whole in context.whole:
            if folded.startswith(whole, start + 1):
                after = folded[start + 1 + len(whole) : start + 2 + len(whole)]
                if after == "" or after not in context.not_after_whole.get(whole, frozenset()):
                    return ShortMatch(start, start + 1 + len(whole), name.keys, f"before {whole}")
                break
        for title in context.titles if name.use == "plain" else context.titles_strict:
            if folded.startswith(title, start + 1):
                return ShortMatch(start, start + 1, name.keys, f"before {title}")
        return None

    def _after_verb(self, folded: str, start: int, name: ShortName) -> ShortMatch | None:
        before, after = folded[start - 1 : start], folded[start + 1 : start + 2]
        if before == "" or (after != "" and after in name.not_after):
            return None
        if self._is_behind_strong(folded, start) or (name.use == "plain" and before in self.context.plain_before):
            return ShortMatch(start, start + 1, name.keys, f"after {before}")
        return None

    def _is_behind_strong(self, folded: str, start: int) -> bool:
        verb, before = folded[start - 1 : start], folded[start - 2 : start - 1]
        return (
            verb != ""
            and verb in self.context.strong_before
            and not (before != "" and before in self.context.strong_not_behind)
        )

    def _as_subject(self, folded: str, start: int, name: ShortName) -> ShortMatch | None:
        before, after = folded[start - 1 : start], folded[start + 1 : start + 2]
        if after == "" or not (before == "" or before in self.context.subject_start):
            return None
        if after in self.context.speaks or (after in self.context.verbs and after not in name.not_after):
            return ShortMatch(start, start + 1, name.keys, "subject")
        return None


def load_short_forms() -> ShortForms:
    """Read `short.tsv`, `pairs.tsv` (their headers explain the columns) and `context.toml`.

    Raises:
        ConfigError: A line has the wrong number of columns, or a word list is missing.
    """
    folder = resources.files("treaty_clauses") / "data" / "actors"
    names: dict[str, ShortName] = {}
    for number, columns in _rows((folder / "short.tsv").read_text(encoding="utf-8")):
        if len(columns) != 5 or len(columns[0]) != 1:
            raise ConfigError(f"actors/short.tsv:{number}: expected a character and four columns, found {columns!r}")
        char, keys, use, not_after, not_before = columns
        names[char] = ShortName(
            char=char,
            keys=tuple(key.rstrip("!") for key in keys.split("|")),
            default=keys.split("|")[0].endswith("!"),
            use=use,
            not_after=frozenset(not_after),
            not_before=frozenset(not_before),
        )
    pairs: dict[str, tuple[tuple[str, ...], bool]] = {}
    for number, columns in _rows((folder / "pairs.tsv").read_text(encoding="utf-8")):
        if len(columns) != 2 or len(columns[0].rstrip("?")) != len(columns[1].split("|")):
            raise ConfigError(f"actors/pairs.tsv:{number}: expected a compound and a key a character: {columns!r}")
        pairs[columns[0].rstrip("?")] = (tuple(columns[1].split("|")), columns[0].endswith("?"))
    return ShortForms(names, pairs, _load_context())


def _load_context() -> ShortContext:
    lists = read_context()["short"]
    not_after = lists.get("not_after_whole") if isinstance(lists, dict) else None
    if not isinstance(lists, dict) or not isinstance(not_after, dict):
        raise ConfigError("actors/context.toml: [short] and [short.not_after_whole] must be tables")
    return ShortContext(
        strong_before=letters(lists, "strong_before"),
        plain_before=letters(lists, "plain_before"),
        strong_not_behind=letters(lists, "strong_not_behind"),
        titles=words(lists, "titles"),
        titles_strict=words(lists, "titles_strict"),
        whole=words(lists, "whole"),
        verbs=letters(lists, "verbs"),
        speaks=letters(lists, "speaks"),
        subject_start=letters(lists, "subject_start"),
        closers=letters(lists, "closers"),
        together=words(lists, "together"),
        powers=letters(lists, "powers"),
        not_after_whole={whole: letters(not_after, whole) for whole in not_after},
    )


def _rows(table: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(table.splitlines(), 1):
        if line and not line.startswith("#"):
            yield number, line.split("\t")
