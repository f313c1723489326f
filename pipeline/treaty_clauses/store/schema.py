"""The relational schema of a store: tables, views, version, and how an older store becomes a current one.

The statements are the common ground of DuckDB and PostgreSQL.
"""

from dataclasses import dataclass

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its SQL type, what it holds."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table: its name, what one row is, its columns, and the names that tell its rows apart.

    `checked`: the database itself refuses a second row of the same key. Its index of them takes 90 bytes of memory a row
    (DuckDB 1.5), so the parts of an article have none: they come and stay with their article, whose key is checked.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    checked: bool = False

    def statement(self) -> str:
        """The statement that makes it."""
        lines = [f"{column.name} {column.type}" for column in self.columns]
        lines += [f"PRIMARY KEY ({', '.join(self.key)})"] if self.checked else []
        return f"CREATE TABLE IF NOT EXISTS {self.name} ({', '.join(lines)})"


def _columns(*columns: str) -> tuple[Column, ...]:
    return tuple(Column(*(part.strip() for part in column.split("|"))) for column in columns)


_ARTICLE = "article_id | VARCHAR | the article"
_CLAUSE = "clause_id | VARCHAR | the clause, within its article"
_START = "start_char | INTEGER | first code point of the article's text"
_END = "end_char | INTEGER | one past the last"

TABLES = (
    TableSpec(
        "articles",
        "an article, once, in however many places it was found",
        _columns(
            "article_id | VARCHAR | from its text and date: 32 hexadecimal digits",
            "number | BIGINT | running number in the order of processing, from 1",
            "title | VARCHAR | as the source or the page gives it",
            "published | VARCHAR | the day it was published, YYYY-MM-DD",
            "outlet | VARCHAR | who published it",
            "url | VARCHAR | its address",
            "text | VARCHAR | what was read; empty with --no-text",
            "length | INTEGER | characters",
            "sha256 | VARCHAR | of the text's UTF-8",
            "encoding | VARCHAR | of the bytes it was read from",
            "script | VARCHAR | traditional, simplified, other",
            "story_id | VARCHAR | the first article of those it is a near-duplicate of; its own id when it is that",
            "similarity | DOUBLE | to the earlier article it was linked by, 0 to 1; null without one",
            "signature | BLOB | MinHash values, for finding near-duplicates",
            "model | VARCHAR | version of the model",
            "record | VARCHAR | the whole record, JSON",
            "run_id | VARCHAR | the run that processed it",
            "processed_at | TIMESTAMP | UTC",
        ),
        ("article_id",),
        checked=True,
    ),
    TableSpec(
        "sightings",
        "a place where an article was found",
        _columns(
            "item_id | VARCHAR | from the place and its content",
            _ARTICLE,
            "source | VARCHAR | as it was named in the command",
            "locator | VARCHAR | path, path:line, path@offset or URL",
            "url | VARCHAR | address after redirects",
            "outlet | VARCHAR | who published it there",
            "title | VARCHAR | its title there",
            "external_id | VARCHAR | the source's own id for it",
            "encoding | VARCHAR | of the bytes there",
            "notes | VARCHAR | what there is to say about the bytes, such as a wrong declaration",
            "run_id | VARCHAR | the run that found it",
            "seen_at | TIMESTAMP | UTC",
        ),
        ("item_id",),
        checked=True,
    ),
    TableSpec(
        "proposals",
        "a plan, agreement or position in an article",
        _columns(
            _ARTICLE,
            "proposal_id | VARCHAR | within its article",
            "name | VARCHAR | null: unnamed",
            "date | VARCHAR | ISO date or month",
        ),
        ("article_id", "proposal_id"),
    ),
    TableSpec(
        "clauses",
        "a norm of a proposal",
        _columns(
            _ARTICLE,
            _CLAUSE,
            "proposal_id | VARCHAR | its proposal",
            "type | VARCHAR | one of 28 clause types",
            "modality | VARCHAR | obligation, prohibition, permission, right, constitutive",
            "status | VARCHAR | proposed, demanded, agreed, in_force, rejected, ended",
            "text | VARCHAR | its first mention, quoted",
            "confidence | DOUBLE | 0 to 1",
        ),
        ("article_id", "clause_id"),
    ),
    TableSpec(
        "actors",
        "a state, organisation, group, person or place in an article",
        _columns(
            _ARTICLE,
            "actor_id | VARCHAR | within its article",
            "name | VARCHAR | its usual name",
            "kind | VARCHAR | state, organisation, ...",
            "wikidata | VARCHAR | null: not known",
        ),
        ("article_id", "actor_id"),
    ),
    TableSpec(
        "mentions",
        "a stretch of text that names an actor or a proposal, or states a clause",
        _columns(
            _ARTICLE,
            "owner | VARCHAR | actor, proposal, clause",
            "owner_id | VARCHAR | its id",
            "n | INTEGER | from 0",
            _START,
            _END,
            "text | VARCHAR | quoted",
        ),
        ("article_id", "owner", "owner_id", "n"),
    ),
    TableSpec(
        "roles",
        "an actor's part in a clause, or in a whole proposal",
        _columns(
            _ARTICLE,
            "owner | VARCHAR | clause, proposal",
            "owner_id | VARCHAR | its id",
            "role | VARCHAR | bearer, counterparty, territory, proposer",
            "actor_id | VARCHAR | the actor",
        ),
        ("article_id", "owner", "owner_id", "role", "actor_id"),
    ),
    TableSpec(
        "terms",
        "a number or date that fixes a clause",
        _columns(
            _ARTICLE,
            _CLAUSE,
            "n | INTEGER | from 0",
            "role | VARCHAR | troop_cap, deadline, asset_sum, ...",
            "comparator | VARCHAR | eq, approx, le, lt, ge, gt, range",
            "value | DOUBLE | in the base unit; null for a date",
            "high | DOUBLE | upper end of a range",
            "day | VARCHAR | ISO date, --MM-DD without a year; null for a number",
            "high_day | VARCHAR | upper end of a range of dates",
            "unit | VARCHAR | person, item, USD, day, ratio, date, ...",
            "anchor | VARCHAR | the event it counts from",
            _START,
            _END,
            "text | VARCHAR | quoted",
        ),
        ("article_id", "clause_id", "n"),
    ),
    TableSpec(
        "conditions",
        "what must happen for a clause to hold",
        _columns(_ARTICLE, _CLAUSE, "n | INTEGER | from 0", _START, _END, "text | VARCHAR | quoted"),
        ("article_id", "clause_id", "n"),
    ),
    TableSpec(
        "warnings",
        "something that reading or extraction left out of an article",
        _columns(_ARTICLE, "n | INTEGER | from 0", "message | VARCHAR | what and why"),
        ("article_id", "n"),
    ),
    TableSpec(
        "bands",
        "a key shared by texts that are worth comparing",
        _columns("band | BIGINT | the key", "number | BIGINT | the article's running number", _ARTICLE),
    ),
    TableSpec(
        "dead_letters",
        "something that gave no article, with all that is needed to try it again",
        _columns(
            "item_id | VARCHAR | from the place and its content",
            "source | VARCHAR | as it was named in the command",
            "locator | VARCHAR | path, path:line, path@offset or URL",
            "fault | VARCHAR | its kind",
            "message | VARCHAR | what happened, and what to do",
            "transient | BOOLEAN | may succeed later by itself",
            "attempts | INTEGER | how often it was tried",
            "form | VARCHAR | text, html, row, page, source",
            "payload | BLOB | its bytes; null where they must be read or fetched again",
            "hints | VARCHAR | what the source says of it, JSON",
            "run_id | VARCHAR | the run that tried it last",
            "failed_at | TIMESTAMP | last, UTC",
        ),
        ("item_id",),
        checked=True,
    ),
    TableSpec(
        "feeds",
        "what a server said last of a feed or page named as a source",
        _columns(
            "url | VARCHAR | its address",
            "etag | VARCHAR | for the next conditional request",
            "last_modified | VARCHAR | likewise",
            "status | INTEGER | HTTP status of the last answer, 304: not changed",
            "checked_at | TIMESTAMP | UTC",
        ),
        ("url",),
        checked=True,
    ),
    TableSpec(
        "runs",
        "one call of the command",
        _columns(
            "run_id | VARCHAR | drawn at random",
            "started_at | TIMESTAMP | UTC",
            "ended_at | TIMESTAMP | UTC; null: still running, or killed",
            "outcome | VARCHAR | done, stopped, failed; null: still running, or killed",
            "arguments | VARCHAR | JSON",
            "version | VARCHAR | of the package",
            "counts | VARCHAR | JSON: what was read, found, lost by kind of fault",
        ),
        ("run_id",),
        checked=True,
    ),
    TableSpec(
        "meta",
        "a fact about the store",
        _columns("name | VARCHAR | schema_version", "content | VARCHAR | its value"),
        ("name",),
        checked=True,
    ),
)

_BEARERS = """
SELECT r.article_id, r.owner_id AS clause_id, string_agg(a.name, '、' ORDER BY a.name) AS names
FROM roles r JOIN actors a ON a.article_id = r.article_id AND a.actor_id = r.actor_id
WHERE r.owner = 'clause' AND r.role = '{role}' GROUP BY r.article_id, r.owner_id"""

_STATED = (
    "CASE WHEN t.comparator = 'range' THEN coalesce(t.day, CAST(t.value AS VARCHAR)) || '..' "
    "|| coalesce(t.high_day, CAST(t.high AS VARCHAR)) ELSE t.comparator || ' ' || coalesce(t.day, CAST(t.value AS VARCHAR)) END"
)

VIEWS = {
    "clause_details": (
        "a clause with its article, its plan, and who is bound towards whom",
        f"""
SELECT a.published, a.outlet, a.title, a.url, a.story_id, c.article_id, c.clause_id, p.name AS plan, c.type, c.modality,
       c.status, b.names AS bearers, k.names AS counterparties, o.names AS proposers, c.text, c.confidence
FROM clauses c
JOIN articles a ON a.article_id = c.article_id
JOIN proposals p ON p.article_id = c.article_id AND p.proposal_id = c.proposal_id
LEFT JOIN ({_BEARERS.format(role="bearer")}) b ON b.article_id = c.article_id AND b.clause_id = c.clause_id
LEFT JOIN ({_BEARERS.format(role="counterparty")}) k ON k.article_id = c.article_id AND k.clause_id = c.clause_id
LEFT JOIN ({_BEARERS.format(role="proposer")}) o ON o.article_id = c.article_id AND o.clause_id = c.clause_id""",
    ),
    "numbers": (
        "every number and date of every clause, with its plan and who is bound",
        f"""
SELECT d.published, d.outlet, d.title, d.url, d.story_id, d.article_id, d.clause_id, d.plan, d.type, d.modality, d.status,
       d.bearers, t.role, t.comparator, t.value, t.high, t.day, t.high_day, t.unit, t.anchor, t.text AS quote,
       {_STATED} AS stated, d.text AS clause
FROM terms t JOIN clause_details d ON d.article_id = t.article_id AND d.clause_id = t.clause_id""",
    ),
    "troop_caps": (
        "all troop caps by plan and date",
        """
SELECT plan, published, bearers, comparator, value, high, quote, status, outlet, title, url, article_id, clause_id
FROM numbers WHERE role = 'troop_cap' AND unit = 'person'""",
    ),
    "disagreements": (
        "numbers of the same plan, type of clause, role, unit and bearer on which articles disagree: one row a number stated",
        """
SELECT n.plan, n.type, n.role, n.unit, n.bearers, n.stated, count(DISTINCT n.article_id) AS articles,
       count(DISTINCT n.story_id) AS stories, min(n.published) AS first_published, max(n.published) AS last_published,
       min(n.quote) AS quote, string_agg(DISTINCT n.article_id, ' ' ORDER BY n.article_id) AS article_ids
FROM numbers n
JOIN (
    SELECT plan, type, role, unit, coalesce(bearers, '') AS bearers FROM numbers
    WHERE plan IS NOT NULL AND comparator <> 'approx'
    GROUP BY plan, type, role, unit, coalesce(bearers, '')
    HAVING count(DISTINCT stated) > 1 AND count(DISTINCT article_id) > 1
) g ON g.plan = n.plan AND g.type = n.type AND g.role = n.role AND g.unit = n.unit AND g.bearers = coalesce(n.bearers, '')
WHERE n.comparator <> 'approx'
GROUP BY n.plan, n.type, n.role, n.unit, n.bearers, n.stated""",
    ),
    "stories": (
        "near-duplicates counted as one: how many articles and outlets carried it",
        """
SELECT a.story_id, min(f.title) AS title, count(DISTINCT a.article_id) AS articles,
       count(DISTINCT coalesce(s.outlet, s.source)) AS outlets, min(a.published) AS first_published,
       max(a.published) AS last_published
FROM articles a JOIN articles f ON f.article_id = a.story_id JOIN sightings s ON s.article_id = a.article_id
GROUP BY a.story_id""",
    ),
    "faults": (
        "dead letters by source and kind",
        """
SELECT source, fault, transient, count(item_id) AS items, max(attempts) AS attempts, max(failed_at) AS last_failed,
       min(message) AS example
FROM dead_letters GROUP BY source, fault, transient""",
    ),
}

#: Statements that turn a store of the version before into one of this version, in order.
MIGRATIONS: dict[int, tuple[str, ...]] = {1: tuple(table.statement() for table in TABLES)}
