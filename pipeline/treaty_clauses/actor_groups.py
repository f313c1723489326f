"""One identity for each actor within an article, also for actors that no gazetteer lists.

A short form joins the one longer mention that it can shorten: the last part of a name (蓋博 of 盧卡·蓋博), an end of it (委員會 of
和平委員會), an abbreviation (和委會), a name in brackets behind it, or its first character before 國, 軍, 方 (托國 of 托斯坎達).
Where two longer mentions fit, nothing is joined.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from treaty_clauses.labels import ActorKind

_BRACKETS = "（(「『《"
_ALSO_CALLED = ("簡稱", "下稱", "又稱", "即")
_STATE_ENDINGS = frozenset("國軍方兵")


@dataclass(frozen=True, slots=True)
class Link:
    """What a mention `text[start:end]` names.

    `key` groups the mentions of one actor within the article: the entry's key, or "name:" and the longest form of an
    unlisted name. `kind` is None for an unlisted name; `wikidata` is None where no id is known or the name was refused.
    `form` is the name that decided, `rule` the way: "name", "seat", "institution", "pair", "article" (the article names
    one candidate in full), "date" (only one existed then), "last part" (surname of a full name), "part of" (a longer mention in the article), "alias"
    (given in brackets), "ambiguous" (refused), "unlisted".
    """

    start: int
    end: int
    key: str
    name: str
    kind: ActorKind | None
    wikidata: str | None
    form: str
    rule: str


def group_mentions(folded: str, links: Sequence[Link], institutions: Collection[str]) -> list[Link]:
    """Give the mentions of one actor one `key`; a mention that joins another takes over its entry and name.

    Args:
        folded: The article's text with variants folded (`gazetteer.fold_variants`).
        links: The links of its mentions; keys "name:..." are unlisted names.
        institutions: Words such as 政府軍 that belong to a state named elsewhere in the article.
    """
    heads = {link.key: link for link in reversed(links)}
    joins: dict[str, tuple[str, str]] = {}
    found = (
        *_first_characters(folded, links, institutions),
        *_bracketed(folded, links),
        *_shortened(folded, links, institutions),
    )
    for key, target, rule in found:
        if key not in joins and not _leads_to(joins, target, key):
            joins[key] = (target, rule)
    return [_joined(folded, link, heads, joins) for link in links]


def _leads_to(joins: dict[str, tuple[str, str]], start: str, goal: str) -> bool:
    while start in joins:
        start = joins[start][0]
    return start == goal


def _joined(folded: str, link: Link, heads: dict[str, Link], joins: dict[str, tuple[str, str]]) -> Link:
    if link.key not in joins:
        return link
    key, rule = joins[link.key]
    while key in joins:
        key = joins[key][0]
    head = heads[key]
    return replace(
        link,
        key=key,
        name=head.name,
        kind=head.kind,
        wikidata=head.wikidata,
        form=folded[head.start : head.end],
        rule=rule,
    )


def _shortened(folded: str, links: Sequence[Link], institutions: Collection[str]) -> Iterator[tuple[str, str, str]]:
    forms = {folded[link.start : link.end]: link for link in links}
    for key in sorted({link.key for link in links if link.key.startswith("name:")}, key=lambda key: (len(key), key)):
        name = key.removeprefix("name:")
        if len(name) < 2:
            continue
        longer = {
            link.key for form, link in forms.items() if link.key != key and _shortens(name, form, link, institutions)
        }
        if len(longer) == 1:
            yield key, longer.pop(), "part of"


def _shortens(name: str, form: str, link: Link, institutions: Collection[str]) -> bool:
    """Whether an unlisted name is a short form of a longer mention."""
    if len(form) <= len(name) or (link.kind is ActorKind.STATE and name not in institutions):
        return False
    if form.endswith((f"·{name}", f"-{name}")) or form.startswith(f"{name}·"):
        return True
    if "·" in form:
        return False
    if form.endswith(name) or form.startswith(name):
        return link.kind is not ActorKind.PLACE
    if len(form) >= 2 * len(name) and form[0] == name[0] and link.kind is not ActorKind.PERSON:
        rest = iter(form)
        return all(char in rest for char in name)
    return False


def _bracketed(folded: str, links: Sequence[Link]) -> Iterator[tuple[str, str, str]]:
    """民主力量聯盟（ADF）: an unlisted name in brackets right behind another mention is the same actor."""
    ends = {link.end: link for link in links}
    for link in links:
        before = _skip_back(folded, link.start)
        head = ends.get(before)
        if not link.key.startswith("name:") or head is None or before == link.start or head.key == link.key:
            continue
        said = any(word in folded[before : link.start] for word in _ALSO_CALLED)
        if said or folded[link.start : link.end].isascii() or head.key.startswith("name:"):
            yield link.key, head.key, "alias"


def _skip_back(folded: str, start: int) -> int:
    """Where the text before a bracketed name ends: in front of brackets and 簡稱, 又稱 ..."""
    while start > 0:
        word = next((word for word in _ALSO_CALLED if folded.endswith(word, 0, start)), "")
        if word:
            start -= len(word)
        elif folded[start - 1] in _BRACKETS:
            start -= 1
        else:
            break
    return start


def _first_characters(
    folded: str, links: Sequence[Link], institutions: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """卡國, 卡軍 in an article on 卡爾文尼亞: its own unlisted name goes before the state that 卡 may mean elsewhere."""
    named = {link.key for link in links if len(link.form) > 1 and link.wikidata is not None}
    unlisted = {folded[link.start : link.end]: link.key for link in links if link.key.startswith("name:")}
    full = {name: key for name, key in unlisted.items() if not _is_state_short_form(name, institutions)}
    people = {
        folded[link.start : link.end]: link.key
        for link in links
        if link.kind is ActorKind.PERSON and "·" not in folded[link.start : link.end]
    }
    for link in links:
        form = folded[link.start : link.end]
        if len(form) == 1 and link.key.startswith("name:"):  # 金 of 金正恩, 普 of 普丁
            owners = {key for name, key in people.items() if name[0] == form}
            if len(owners) == 1:
                yield link.key, owners.pop(), "part of"
        if link.key in named or not (len(form) == 1 or _is_state_short_form(form, institutions)):
            continue
        owners = {key for name, key in full.items() if len(name) > len(form) and name[0] == form[0]}
        if len(owners) == 1 and (owner := owners.pop()) != link.key:
            yield link.key, owner, "part of"


def _is_state_short_form(form: str, institutions: Collection[str]) -> bool:
    return len(form) > 1 and (form[1:] in _STATE_ENDINGS or form[1:] in institutions)
