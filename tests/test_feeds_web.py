import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from batching import QUICK, everything, faults, process, rows
from newsserver import BODY, NewsServer, agency, broadcaster, broadsheet, rss, rss_item, serve_news, tabloid
from treaty_clauses.feeds.fetch import Fetcher, plain_url
from treaty_clauses.feeds.guard import FetchError, is_public, resolve
from treaty_clauses.items import Fault
from treaty_clauses.store import Store


@pytest.fixture
def news() -> Iterator[NewsServer]:
    with serve_news() as server:
        yield server


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


@pytest.mark.parametrize(
    ("make", "outlet"),
    [(broadsheet, "海峽早報"), (agency, None), (tabloid, None), (broadcaster, None)],
    ids=["broadsheet", "agency", "tabloid", "broadcaster"],
)
def test_a_page_gives_its_main_text_title_and_date_and_nothing_else(
    news: NewsServer, store: Store, make: object, outlet: str | None
) -> None:
    assert callable(make)
    process([news.add("/a.html", make("南川北嶺簽停火", 8))], store)
    (article,) = rows(store, "SELECT * FROM articles")
    assert "白嶼方案規定北嶺兵力不得超過8萬人" in article["text"]
    assert "停止一切敵對行動" in article["text"]
    for noise in ("首頁", "訂閱", "延伸閱讀", "網友", "版權所有", "alert", "熱門", "廣告", "分享", "<p>", "娛樂"):
        assert noise not in article["text"], article["text"]
    assert (article["title"], article["published"]) == ("南川北嶺簽停火", "2025-11-24")
    assert outlet is None or article["outlet"] == outlet
    assert [row["value"] for row in rows(store, "SELECT value FROM terms")] == [80_000]


def test_a_feed_of_summaries_has_its_pages_fetched(news: NewsServer, store: Store) -> None:
    links = [news.add(f"/{n}.html", broadsheet(f"第{n}號停火", n)) for n in (1, 2)]
    feed = news.add("/rss", rss("".join(rss_item(link, "停火") for link in links)), kind="application/rss+xml")
    counts = process([feed], store)
    assert (counts.articles, counts.lost) == (2, {})
    articles = rows(store, "SELECT url, published, outlet FROM articles ORDER BY number")
    assert articles == [{"url": link, "published": "2025-11-24", "outlet": "海峽早報 國際"} for link in links]


def test_a_feed_that_holds_the_articles_has_nothing_fetched(news: NewsServer, store: Store) -> None:
    content = BODY.format(caps=6)
    entry = rss_item(news.url("/never.html"), "停火", content=content)
    counts = process([news.add("/rss", rss(entry), kind="text/xml")], store)
    assert (counts.articles, news.hits["/never.html"]) == (1, 0)
    (article,) = rows(store, "SELECT title, text FROM articles")
    assert article["title"] == "停火"
    assert article["text"].startswith("南川與北嶺代表二十三日")


def test_atom_is_read_as_rss_is_and_links_may_be_relative(news: NewsServer, store: Store) -> None:
    news.add("/world/a.html", agency("南川北嶺簽停火", 7))
    entry = '<entry><title>停火</title><id>urn:1</id><link href="a.html"/><published>2025-11-24T00:30:00+08:00</published></entry>'
    atom = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>社</title>{entry}</feed>'
    counts = process([news.add("/world/atom", atom, kind="application/atom+xml")], store)
    assert counts.articles == 1
    (seen,) = rows(store, "SELECT external_id, url FROM sightings")
    assert seen == {"external_id": "urn:1", "url": news.url("/world/a.html")}


def test_an_entry_in_two_feeds_is_fetched_once(news: NewsServer, store: Store) -> None:
    entry = rss_item(news.add("/a.html", broadsheet("停火", 3)), "停火")
    first, second = (news.add(path, rss(entry), kind="application/rss+xml") for path in ("/politics", "/world"))
    counts = process([first], store)
    counts = process([first, second], store)
    assert (counts.articles, counts.skipped, news.hits["/a.html"]) == (0, 2, 1)


def test_a_feed_that_did_not_change_is_not_read_again(news: NewsServer, store: Store) -> None:
    entry = rss_item(news.add("/a.html", broadsheet("停火", 3)), "停火")
    feed = news.add_conditional("/rss", rss(entry), etag='"v1"')
    assert process([feed], store).unchanged == 0
    before = everything(store)
    counts = process([feed], store)
    assert (counts.items, counts.unchanged) == (0, 1)
    after = everything(store)
    assert rows(store, "SELECT status, etag FROM feeds") == [{"status": 304, "etag": '"v1"'}]
    assert {**before, "feeds": []} == {**after, "feeds": []}


def test_redirects_are_followed_to_an_end(news: NewsServer, store: Store) -> None:
    target = news.add("/a.html", broadsheet("停火", 3))
    far = news.add_redirect("/far", news.add_redirect("/near", target, status=301))
    loop = news.add_redirect("/loop", "/loop")
    nowhere = news.add_redirect("/nowhere", "ftp://127.0.0.1/a")
    counts = process([far, loop, nowhere], store)
    assert counts.articles == 1
    assert rows(store, "SELECT url FROM articles") == [{"url": target}]
    assert faults(store) == {"loop": "redirects", "nowhere": "address"}


def test_what_goes_wrong_is_kept_with_its_kind_and_the_rest_goes_on(news: NewsServer, store: Store) -> None:
    sources = [
        news.url("/missing"),
        news.add("/broken", "x", status=500),
        news.add_silent("/silent"),
        news.add_dripping("/dripping"),
        news.add_dripping("/headers", headers_too=True),
        news.add_endless("/endless"),
        news.add_bomb("/bomb"),
        news.add("/image", b"\x89PNG", kind="image/png"),
        news.add("/empty", "<html><body></body></html>"),
        news.add("/odd", b"\x1f\x8b broken", headers={"Content-Encoding": "gzip"}),
        news.add("/brotli", b"x", headers={"Content-Encoding": "br"}),
        news.add(
            "/entities", '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel>&b;</channel></rss>'
        ),
        news.add("/notfeed", "<opml></opml>", kind="text/xml"),
        news.add("/good", broadsheet("停火", 3)),
    ]
    began = time.monotonic()
    counts = process(sources, store)
    assert time.monotonic() - began < 15
    assert counts.articles == 1
    assert faults(store) == {
        "missing": "status",
        "broken": "status",
        "silent": "slow",
        "dripping": "slow",
        "headers": "slow",
        "endless": "too_large",
        "bomb": "too_large",
        "image": "content_type",
        "empty": "no_text",
        "odd": "malformed",
        "brotli": "malformed",
        "entities": "entities",
        "notfeed": "content_type",
    }
    assert sum(counts.lost.values()) == 13
    transient = {row["locator"] for row in rows(store, "SELECT locator FROM dead_letters WHERE transient")}
    assert {Path(name).name for name in transient} == {"broken", "silent", "dripping", "headers"}


def test_a_transient_failure_is_asked_again_once(news: NewsServer, store: Store) -> None:
    process([news.add("/broken", status=503)], store, fetch=replace(QUICK, retries=1))
    assert news.hits["/broken"] == 2
    process([news.add("/gone", status=410)], store, fetch=replace(QUICK, retries=1))
    assert news.hits["/gone"] == 1


@pytest.mark.parametrize(
    ("codec", "header", "meta", "found", "notes"),
    [
        ("big5", "text/html; charset=utf-8", "", "big5", "declared as utf-8, but it is big5"),
        ("big5", "text/html", '<meta charset="big5">', "big5", None),
        ("big5", "text/html; charset=iso-8859-1", '<meta charset="big5">', "big5", None),
        ("utf-8", "text/html; charset=big5", "", "utf-8", "declared as big5, but it is utf-8"),
        ("utf-16", "text/html", "", "utf-16-le", None),
        ("utf-8-sig", "text/html", "", "utf-8", None),
        ("gb18030", "text/html; charset=gb2312", "", "gb2312", None),
    ],
)
def test_the_encoding_is_found_out_and_noted(
    news: NewsServer, store: Store, codec: str, header: str, meta: str, found: str, notes: str | None
) -> None:
    page = broadsheet("南川北嶺簽停火", 3).replace('<meta charset="utf-8">', meta)
    process([news.add("/a.html", page.encode(codec), kind=header)], store)
    (article,) = rows(store, "SELECT text FROM articles")
    assert "白嶼方案規定北嶺兵力不得超過3萬人" in article["text"]
    (seen,) = rows(store, "SELECT encoding, notes FROM sightings")
    assert (seen["encoding"], seen["notes"]) == (found, notes)


def test_robots_txt_is_respected_by_name_and_path(news: NewsServer, store: Store) -> None:
    news.add("/robots.txt", "User-agent: *\nDisallow: /private/\n\nUser-agent: other\nDisallow: /\n", kind="text/plain")
    links = [news.add(path, broadsheet("停火", 3)) for path in ("/private/a.html", "/public/b.html")]
    counts = process(links, store)
    assert counts.articles == 1
    assert faults(store) == {"a.html": "robots"}
    assert (news.hits["/private/a.html"], news.hits["/robots.txt"]) == (0, 1)


def test_a_redirect_into_what_robots_txt_forbids_is_not_followed(news: NewsServer, store: Store) -> None:
    news.add("/robots.txt", "User-agent: *\nDisallow: /private/\n", kind="text/plain")
    news.add("/private/a.html", broadsheet("停火", 3))
    process([news.add_redirect("/b", "/private/a.html")], store)
    assert (faults(store), news.hits["/private/a.html"]) == ({"b": "robots"}, 0)


def test_a_host_whose_robots_txt_fails_is_left_alone_for_now(news: NewsServer, store: Store) -> None:
    news.add("/robots.txt", status=503)
    page = news.add("/a.html", broadsheet("停火", 3))
    process([page], store)
    assert news.hits["/a.html"] == 0
    assert rows(store, "SELECT fault, transient FROM dead_letters") == [{"fault": "status", "transient": True}]


def test_requests_to_a_host_keep_their_distance_and_say_who_asks(news: NewsServer, store: Store) -> None:
    news.add("/robots.txt", "User-agent: *\nCrawl-delay: 0.3\n", kind="text/plain")
    links = [news.add(f"/{n}.html", broadsheet(f"停火{n}", n)) for n in range(3)]
    feed = news.add("/rss", rss("".join(rss_item(link, "停火") for link in links)), kind="text/xml")
    process([feed], store, fetch=replace(QUICK, delay_seconds=0.1, user_agent="newsroom-test (desk@example.org)"))
    moments = sorted(moment for moment, path in news.times if path.endswith(".html"))
    assert all(later - earlier > 0.25 for earlier, later in pairwise(moments))
    assert news.agents == {"newsroom-test (desk@example.org)"}


class TestPrivateAddresses:
    def test_none_is_asked_unless_allowed(self, news: NewsServer, store: Store) -> None:
        page = news.add("/a.html", broadsheet("停火", 3))
        process([page], store, fetch=replace(QUICK, allow_private=False))
        (letter,) = rows(store, "SELECT fault, message FROM dead_letters")
        assert letter["fault"] == "address"
        assert "127.0.0.1, a private address; see --allow-private" in letter["message"]
        assert not news.hits

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
            "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
            "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1%eth0", "240.0.0.1", "198.18.0.1",
        ],
    )  # fmt: skip
    def test_they_are_known_in_all_their_forms(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
    def test_public_ones_are_not_among_them(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "127.0.0.1."])
    def test_no_spelling_of_the_own_machine_gets_through(self, news: NewsServer, host: str) -> None:
        fetcher = Fetcher(replace(QUICK, allow_private=False), threading.Event())
        with pytest.raises(FetchError) as caught:
            fetcher.get(f"http://{host}:{news.port}/a.html")
        fetcher.close()
        assert caught.value.problem.fault in (Fault.ADDRESS, Fault.CONNECTION)
        assert not news.hits

    def test_a_redirect_to_one_is_refused_at_its_hop(
        self, news: NewsServer, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first host counts as public here, the second, which it names, does not."""
        monkeypatch.setattr("treaty_clauses.feeds.guard.is_public", lambda address: address == "127.0.0.1")
        news.add("/secret.html", broadsheet("秘密", 3))
        page = news.add_redirect("/a", f"http://[::1]:{news.port}/secret.html")
        process([page], store, fetch=replace(QUICK, allow_private=False))
        assert faults(store) == {"a": "address"}
        assert news.hits["/secret.html"] == 0

    def test_a_name_that_answers_differently_the_second_time_gains_nothing(
        self, news: NewsServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection goes to the address that was checked: one resolution for each connection."""
        answers = iter([[(2, 1, 6, "", ("93.184.216.34", 80))], [(2, 1, 6, "", ("127.0.0.1", news.port))]])
        asked: list[str] = []

        def getaddrinfo(host: str, *_: object, **__: object) -> object:
            asked.append(host)
            return next(answers)

        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
        assert resolve("rebind.example", 80, allow_private=False) == ["93.184.216.34"]
        with pytest.raises(FetchError, match="a private address"):
            resolve("rebind.example", 80, allow_private=False)
        assert asked == ["rebind.example"] * 2

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "http://", "http:///a", "javascript:1"]
    )
    def test_other_schemes_are_refused(self, url: str) -> None:
        with pytest.raises(FetchError):
            plain_url(url)

    def test_credentials_and_fragments_do_not_travel(self) -> None:
        assert plain_url("http://user:pass@例子.example/停火?a=b#c") == (
            "http://xn--fsqu00a.example/%E5%81%9C%E7%81%AB?a=b"
        )


def test_the_store_of_a_stopped_watch_has_all_that_the_feed_held(news: NewsServer, tmp_path: Path) -> None:
    """Two polls: the second finds a further entry, and a page that failed at first."""
    stop = threading.Event()
    first = rss_item(news.add("/1.html", broadsheet("停火一", 1)), "一")
    broken = rss_item(news.add("/2.html", status=503), "二")
    third = rss_item(news.add("/3.html", broadsheet("停火三", 3)), "三")
    feed = news.add("/rss", rss(first + broken), kind="text/xml")

    def journal(name: str, fields: object) -> None:
        if name == "waiting" and news.hits["/rss"] == 1:
            news.add("/2.html", broadsheet("停火二", 2))
            news.add("/rss", rss(third + first + broken), kind="text/xml")
        elif name == "waiting":
            stop.set()

    with Store(tmp_path / "a.duckdb") as store:
        counts = process([feed], store, watch_seconds=0.05, stop=stop, journal=journal)
        assert (counts.articles, counts.lost) == (3, {"status": 1})
        assert faults(store) == {}
        assert [row["outcome"] for row in rows(store, "SELECT outcome FROM runs")] == ["stopped"]
