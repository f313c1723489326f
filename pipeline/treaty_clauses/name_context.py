"""What the words beside a name say of it: an institution that belongs to it, a place or a state, a name or part of a longer one."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from treaty_clauses.errors import ConfigError

# Datelines: the place of an agency's report is no actor （中央社華盛頓21日電）.
DATELINE = re.compile(
    r"[（(【]\s?(?:中央社|法新社|路透社?|美聯社|新華社|中新社|德通社|共同社|韓聯社|綜合|編譯)[^（()）】\n]{0,30}[電導][）)】]"
)

# Titles of treaties, books and newspapers hold no mentions (guidelines section 8).
TITLE = re.compile(r"《[^《》\n]{1,60}》")


@dataclass(frozen=True)
class NameContext:
    """The word lists of `data/actors/context.toml` that concern names of any length, and the rules that use them."""

    institutions: frozenset[str]
    title_after_ministry: frozenset[str]
    not_after_institution: frozenset[str]
    not_after_army: frozenset[str]
    place_before: tuple[str, ...]
    place_after: tuple[str, ...]
    embedded_before: frozenset[str]
    embedded_after: frozenset[str]
    embedded_after_two: frozenset[str]
    not_embedded: tuple[str, ...]
    titles_before: tuple[str, ...]
    titles_after: tuple[str, ...]
    organs: Mapping[str, tuple[str, ...]]  # a word and the states whose organ it usually is, the first of them first

    @cached_property
    def _longest_institution(self) -> int:
        return max(map(len, self.institutions))

    def institution_end(self, folded: str, core_end: int) -> int:
        """Where a mention ends whose state's name ends at `core_end`: behind 國防部, 軍 ..., or at `core_end`."""
        for size in range(self._longest_institution, 1, -1):
            if folded[core_end : core_end + size] in self.institutions:
                after = folded[core_end + size : core_end + size + 1]
                ministry = folded[core_end + size - 1] == "部"
                if (ministry and after in self.title_after_ministry) or after in self.not_after_institution:
                    continue
                return core_end + size
        if folded.startswith("軍", core_end) and folded[core_end + 1 : core_end + 2] not in self.not_after_army:
            return core_end + 1
        return core_end

    def stands_as_place(self, folded: str, start: int, end: int) -> bool:
        """Whether a city that is also a seat of government is meant as a place at [start, end)."""
        return folded[:start].endswith(self.place_before) or folded.startswith(self.place_after, end)

    def is_embedded(self, folded: str, start: int, end: int, *, after_name: bool) -> bool:
        """Whether a transliterated name is only part of a longer one: 彭斯 in 史彭斯, 阿巴斯 in 古麗仙·阿巴斯.

        `after_name` says that another name ends at `start`, so that the character before is no part of this one.
        """
        before, after = folded[start - 1 : start], folded[end : end + 1]
        if "·" in (before, after) or end - start > 3:
            return "·" in (before, after)
        if not after_name and before in self.embedded_before:
            return True
        letters = self.embedded_after if end - start == 3 else self.embedded_after | self.embedded_after_two
        return after in letters and not folded.startswith(self.not_embedded, end)

    def is_titled(self, folded: str, start: int, end: int) -> bool:
        """Whether a title stands beside a name at [start, end)."""
        return folded[:start].endswith(self.titles_before) or folded.startswith(self.titles_after, end)


def read_context() -> dict[str, object]:
    """The word lists of `data/actors/context.toml` as written."""
    path = resources.files("treaty_clauses") / "data" / "actors" / "context.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def words(lists: dict[str, object], name: str) -> tuple[str, ...]:
    """One list of words, longest first.

    Raises:
        ConfigError: The list is missing or no text.
    """
    value = lists.get(name)
    if not isinstance(value, str):
        raise ConfigError(f"actors/context.toml: {name} must be a text of words, found {value!r}")
    return tuple(sorted(value.split(), key=len, reverse=True))


def letters(lists: dict[str, object], name: str) -> frozenset[str]:
    """One list of single characters.

    Raises:
        ConfigError: The list is missing or no text.
    """
    value = lists.get(name)
    if not isinstance(value, str):
        raise ConfigError(f"actors/context.toml: {name} must be a text of characters, found {value!r}")
    return frozenset(value)


def load_name_context() -> NameContext:
    """Read the word lists that come with the package.

    Raises:
        ConfigError: A list is missing.
    """
    lists = read_context()
    return NameContext(
        institutions=frozenset(words(lists, "institutions")),
        title_after_ministry=letters(lists, "title_after_ministry"),
        not_after_institution=letters(lists, "not_after_institution"),
        not_after_army=letters(lists, "not_after_army"),
        place_before=words(lists, "place_before"),
        place_after=words(lists, "place_after"),
        embedded_before=letters(lists, "embedded_before"),
        embedded_after=letters(lists, "embedded_after"),
        embedded_after_two=letters(lists, "embedded_after_two"),
        not_embedded=words(lists, "not_embedded"),
        titles_before=words(lists, "titles_before"),
        titles_after=words(lists, "titles_after"),
        organs=_organs(lists.get("organs")),
    )


def _organs(table: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        raise ConfigError(f"actors/context.toml: organs must be a table of states and words, found {table!r}")
    found: dict[str, tuple[str, ...]] = {}
    for state in table:
        for word in words(table, state):
            found[word] = (*found.get(word, ()), state)
    return found
