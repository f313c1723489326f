"""A local web server with what feeds and outlets serve, well and badly; all texts were written for the tests."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]

BODY = (
    "<p>南川與北嶺代表二十三日在白嶼港簽署停火文件，雙方同意自當晚零時起停止一切敵對行動，並在一百天內完成撤軍。</p>"
    "<p>白嶼方案規定北嶺兵力不得超過{caps}萬人，監督小組由四國各派軍官組成，每週向各方提交一次報告。</p>"
    "<p>南川外長說，換俘名單已經交換完畢，首批{caps}0名戰俘將在週五經由石門口岸返回。</p>"
)


def broadsheet(title: str, caps: int, *, date: str = "2025-11-24T09:30:00+08:00") -> str:
    """A page in the manner of a morning paper: metadata in <meta> tags, sidebar, related stories, comments."""
    related = "".join(f'<li><a href="/r/{n}">延伸閱讀：第{n}則</a></li>' for n in range(8))
    return f"""<!DOCTYPE html><html lang="zh-Hant"><head><meta charset="utf-8"><title>{title} | 國際 | 海峽早報</title>
<meta property="og:site_name" content="海峽早報"><meta property="og:title" content="{title}">
<meta property="article:published_time" content="{date}"><script>document.title = "壞標題"; alert(1)</script></head>
<body><nav><ul><li><a href="/">首頁</a></li><li><a href="/world">國際</a></li><li><a href="/sport">體育</a></li></ul></nav>
<div class="ad">訂閱電子報，掌握每日要聞</div><article><h1>{title}</h1><div class="byline">記者 江望／白嶼報導</div>
{BODY.format(caps=caps)}</article><aside class="sidebar"><h3>熱門新聞</h3><ul>{related}</ul></aside>
<div class="comments"><p>網友：這次會成功嗎？</p></div><footer>海峽早報 版權所有 不得轉載</footer></body></html>"""


def agency(title: str, caps: int) -> str:
    """A page in the manner of a news agency: JSON-LD, dateline, text in one <div> of paragraphs."""
    return f"""<html><head><title>{title} - 中部通訊社</title><script type="application/ld+json">
{{"@type": "NewsArticle", "headline": "{title}", "datePublished": "2025-11-24T08:00:00+08:00",
"publisher": {{"name": "中部通訊社"}}}}</script></head><body><header><a href="/">中部通訊社</a></header>
<main><h1>{title}</h1><div class="paragraph"><p>（中部社白嶼24日電）</p>{BODY.format(caps=caps)}</div>
<div class="share">分享到社群</div></main><div class="related"><a href="/1">相關：北嶺選舉延期</a></div></body></html>"""


def tabloid(title: str, caps: int) -> str:
    """A page in the manner of a tabloid: deep <div>s, no <article>, advertising between the paragraphs."""
    paragraphs = BODY.format(caps=caps).replace("</p><p>", "</p><div class='ad-slot'>廣告</div><p>")
    return f"""<html><head><title>{title}｜即時｜浪報</title></head><body><div id="wrap"><div class="top-menu"><a href="#">即時</a>
<a href="#">娛樂</a></div><div class="ndArticle_content"><h1>{title}</h1><time datetime="2025-11-24">2025/11/24</time>
<div class="story_body">{paragraphs}</div></div><div class="hot-news"><a href="/9">全網瘋傳</a></div></div></body></html>"""


def broadcaster(title: str, caps: int) -> str:
    """A page in the manner of a public broadcaster: headings inside, captions, lists of topics."""
    return f"""<html><head><title>{title} | 公共台</title><meta name="date" content="2025-11-24"></head><body>
<main><article><header><h1>{title}</h1><p class="time">2025-11-24 10:00</p></header><figure><img src="a.jpg" alt="簽字">
<figcaption>簽字現場 / 資料照</figcaption></figure><section class="text">{BODY.format(caps=caps)}
<h2>下一步</h2><p>各方將於下月十日再次會面，討論航道與電網的修復，以及撤軍後的邊界監督。</p></section></article></main>
<ul class="tags"><li>停火</li><li>撤軍</li></ul></body></html>"""


def rss(entries: str, title: str = "海峽早報 國際") -> str:
    """An RSS 2.0 feed."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>{title}</title><link>/</link>{entries}</channel></rss>"
    )


def rss_item(link: str, title: str, summary: str = "摘要…", *, content: str | None = None) -> str:
    """An entry: a summary, or the whole content."""
    full = f"<content:encoded><![CDATA[{content}]]></content:encoded>" if content else ""
    return (
        f"<item><title>{title}</title><link>{link}</link><guid>{link}</guid>"
        f"<pubDate>Sun, 23 Nov 2025 17:30:00 GMT</pubDate><description>{summary}</description>{full}</item>"
    )


@dataclass
class NewsServer:
    """Paths and what they answer; `hits` counts the requests."""

    answers: dict[str, Answer] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    times: list[tuple[float, str]] = field(default_factory=list)
    port: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def add(
        self,
        path: str,
        body: str | bytes = b"",
        *,
        kind: str = "text/html; charset=utf-8",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Serve a body; returns its address."""
        data = body.encode() if isinstance(body, str) else body

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(data)

        self.answers[path] = answer
        return self.url(path)

    def add_conditional(self, path: str, body: str, *, etag: str) -> str:
        """Serve a body with an ETag, and 304 to who knows it."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            data = b"" if request.headers.get("If-None-Match") == etag else body.encode()
            request.send_response(200 if data else 304)
            request.send_header("ETag", etag)
            request.send_header("Content-Type", "application/rss+xml; charset=utf-8")
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)

        self.answers[path] = answer
        return self.url(path)

    def add_redirect(self, path: str, target: str, status: int = 302) -> str:
        """Serve a redirect."""
        return self.add(path, status=status, headers={"Location": target})

    def add_silent(self, path: str) -> str:
        """Accept the request and never answer."""
        self.answers[path] = lambda _: (self.closing.wait(30), None)[1]
        return self.url(path)

    def add_dripping(self, path: str, *, seconds: float = 0.05, headers_too: bool = False) -> str:
        """Answer a byte at a time, without end; with `headers_too` not even the header ends."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            start = (
                b"HTTP/1.1 200 OK\r\nX-Slow: "
                if headers_too
                else b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"
            )
            request.wfile.write(start)
            while not self.closing.is_set():
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(seconds)

        self.answers[path] = answer
        return self.url(path)

    def add_bomb(self, path: str, *, megabytes: int = 64) -> str:
        """Serve many zeros, compressed to almost nothing."""
        data = gzip.compress(b"\0" * (megabytes << 20))
        return self.add(path, data, headers={"Content-Encoding": "gzip"})

    def add_endless(self, path: str) -> str:
        """Answer as fast as can be, without end."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
            while not self.closing.is_set():
                request.wfile.write(b"<p>" + b"x" * 65536)

        self.answers[path] = answer
        return self.url(path)


@contextmanager
def serve_news() -> Iterator[NewsServer]:
    """A server on this machine for the time of a test."""
    news = NewsServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            news.hits[self.path] += 1
            news.agents.add(self.headers.get("User-Agent", ""))
            news.times.append((time.monotonic(), self.path))
            answer = news.answers.get(self.path)
            try:
                if answer is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    answer(self)
            except OSError:
                pass  # the client has had enough

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    news.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield news
    finally:
        news.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
