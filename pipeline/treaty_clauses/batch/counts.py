"""What a run has done so far, as figures that add up: every item read is skipped, found, repeated or lost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from treaty_clauses.items import Form, Lost, SourceRead
from treaty_clauses.store import Extracted, Outcome


@dataclass(slots=True)
class Counts:
    """Counts of a run.

    `items` were offered by the sources; of these `skipped` were dealt with in an earlier run, `articles` gave a record,
    `repeated` held an article that the store has from elsewhere, and `lost` became dead letters, by kind of fault.
    `ignored` are things in sources that are no articles by their kind. `failed_sources` could not be read at all.
    `read_bytes` of local sources are done, `skipped_bytes` of them in an earlier run.
    """

    items: int = 0
    skipped: int = 0
    articles: int = 0
    repeated: int = 0
    characters: int = 0
    read_bytes: int = 0
    skipped_bytes: int = 0
    sources: int = 0
    unchanged: int = 0
    failed_sources: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)

    def skip(self, items: int) -> None:
        """Count items that were dealt with in an earlier run."""
        self.items += items
        self.skipped += items

    def add(self, outcomes: Iterable[Outcome], *, ignored: Iterable[str] = ()) -> None:
        """Count what became of some items, and the reasons why other things are none."""
        self.ignored.update(ignored)
        new: set[str] = set()
        for outcome in outcomes:
            match outcome:
                case SourceRead(feed=feed):
                    self.sources += 1
                    self.unchanged += feed is not None and feed.status == 304
                case Lost(item=item, problem=problem):
                    self.items += item.form is not Form.SOURCE
                    self.failed_sources += item.form is Form.SOURCE
                    self.lost[problem.fault.value] += 1
                case Extracted(found=found, record=record):
                    self.items += 1
                    if record is None or found.article.id in new:
                        self.repeated += 1
                        continue
                    new.add(found.article.id)
                    self.articles += 1
                    self.characters += len(found.article.text)

    def to_json(self) -> dict[str, Any]:
        """The counts for the store and the log."""
        names = ("items", "skipped", "articles", "repeated", "characters", "sources", "unchanged", "failed_sources")
        table: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**table, "lost": dict(sorted(self.lost.items())), "ignored": dict(sorted(self.ignored.items()))}

    def summary(self) -> str:
        """The counts in one line for reading."""
        parts = [f"{self.items:,} items", f"{self.articles:,} articles"]
        parts += [f"{self.repeated:,} seen elsewhere"] if self.repeated else []
        parts += [f"{self.skipped:,} done before"] if self.skipped else []
        parts += [f"{self.unchanged:,} sources unchanged"] if self.unchanged else []
        for name, counter in (("lost", self.lost), ("ignored", self.ignored)):
            if counter:
                kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(counter.items()))
                parts.append(f"{sum(counter.values()):,} {name} ({kinds})")
        return ", ".join(parts)
