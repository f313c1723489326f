"""Pages over HTTP, politely and with limits: robots.txt, a delay per host, redirects, sizes, times, conditional requests."""

import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpcore

from treaty_clauses.feeds.guard import FetchError, GuardedBackend
from treaty_clauses.feeds.robots import Robots
from treaty_clauses.items import Fault, FeedState, Problem

_REDIRECTS = (301, 302, 303, 307, 308)
_SAFE = "/%:@!$&'()*+,;=~-._?"
_MANY_HOSTS = 10_000  # from here on hosts that may be asked again at once are forgotten


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """How pages are asked for.

    `silence_seconds` is the longest wait for the next bytes, `total_seconds` for a whole answer, `delay_seconds` the least
    time between two requests to a host (its robots.txt or a Retry-After may ask for more, honoured up to
    `longest_delay_seconds`).
    """

    user_agent: str = "treaty-clauses/0.1"
    silence_seconds: float = 10.0
    total_seconds: float = 60.0
    max_bytes: int = 10_000_000
    most_redirects: int = 5
    delay_seconds: float = 1.0
    longest_delay_seconds: float = 60.0
    retries: int = 1
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: the URL after redirects, its status (200 or 304), header fields by lower-case name, decompressed body."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The encoding the header names."""
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                return value.strip(" \"'") or None
        return None

    def state(self, url: str) -> FeedState:
        """What to remember for the next conditional request for `url`."""
        return FeedState(url, self.headers.get("etag"), self.headers.get("last-modified"), self.status)


class Stopped(Exception):  # noqa: N818 - no error: someone asked for it
    """The run was asked to stop while a page was waited for."""


class Fetcher:
    """Fetches pages. Safe to use from several threads; waits between requests to the same host."""

    def __init__(self, options: FetchOptions, stop: threading.Event) -> None:
        self.options = options
        self._stop = stop
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}
        self._robots = Robots(self._robots_text, options.user_agent)
        self._pool: httpcore.ConnectionPool | None = None

    def close(self) -> None:
        """Close what is open."""
        if self._pool is not None:
            self._pool.close()

    def _connections(self) -> httpcore.ConnectionPool:
        options = self.options
        with self._lock:
            if self._pool is None:  # made when needed: reading the machine's certificates takes a while
                self._pool = httpcore.ConnectionPool(
                    ssl_context=ssl.create_default_context(),
                    max_connections=None,
                    max_keepalive_connections=0,  # a connection's deadline is its request's
                    network_backend=GuardedBackend(
                        allow_private=options.allow_private, total_seconds=options.total_seconds
                    ),
                )
            return self._pool

    def get(self, url: str, *, known: FeedState | None = None) -> Response:
        """The page at `url`, redirects followed; status 304 and no body when it is as it was at `known`.

        Raises:
            FetchError: It could not be fetched, or may not be.
            Stopped: The run was asked to stop.
        """
        headers = {}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        for attempt in range(self.options.retries + 1):
            try:
                return self._follow(url, headers)
            except FetchError as error:
                again = error.problem.transient and error.problem.fault is not Fault.SLOW
                if not again or attempt == self.options.retries:
                    raise
        raise AssertionError("unreachable")

    def _follow(self, url: str, headers: Mapping[str, str], *, robots: bool = True) -> Response:
        for _ in range(self.options.most_redirects + 1):
            url = plain_url(url)
            delay = self.options.delay_seconds
            if robots:
                rules = self._robots.rules(url)
                if not rules.allowed(url):
                    raise FetchError(Problem(Fault.ROBOTS, f"{url}: robots.txt does not allow it"))
                delay = max(delay, min(rules.delay_seconds, self.options.longest_delay_seconds))
                self._wait(urlsplit(url).netloc, delay)
            response = self._once(url, headers)
            if response.status in _REDIRECTS and response.headers.get("location"):
                url = urljoin(url, response.headers["location"])
                continue
            if response.status == 200 or (response.status == 304 and headers):
                return response
            transient = response.status >= 500 or response.status in (408, 425, 429)
            if transient:
                self._hold(urlsplit(url).netloc, response.headers.get("retry-after", ""))
            raise FetchError(Problem(Fault.STATUS, f"{url}: HTTP status {response.status}", transient))
        raise FetchError(Problem(Fault.REDIRECTS, f"{url}: more than {self.options.most_redirects} redirects"))

    def _once(self, url: str, extra: Mapping[str, str]) -> Response:
        options = self.options
        host = urlsplit(url).netloc
        headers: dict[bytes | str, bytes | str] = {
            "Host": host,
            "User-Agent": options.user_agent,
            "Accept": "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, application/xml;q=0.9",
            "Accept-Language": "zh-TW, zh-HK;q=0.9, zh;q=0.8",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        headers.update(extra.items())
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), options.silence_seconds)
        try:
            with self._connections().stream("GET", url, headers=headers, extensions={"timeout": timeout}) as answer:
                fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                if answer.status != 200:
                    return Response(url, answer.status, fields)
                return Response(url, answer.status, fields, self._body(url, fields, answer.iter_stream()))
        except httpcore.TimeoutException as error:
            message = f"{url}: not answered within {options.silence_seconds:g} s, or not whole within {options.total_seconds:g} s"
            raise FetchError(Problem(Fault.SLOW, message, transient=True)) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise FetchError(Problem(Fault.CONNECTION, f"{url}: {error or type(error).__name__}", True)) from error

    def _body(self, url: str, headers: Mapping[str, str], chunks: Iterator[bytes]) -> bytes:
        most = self.options.max_bytes
        too_large = Problem(Fault.TOO_LARGE, f"{url}: more than {most:,} bytes; see --max-bytes")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise FetchError(too_large)
        body = bytearray()
        received = 0
        try:
            inflate = _inflater(headers.get("content-encoding", ""))
            for chunk in chunks:
                if self._stop.is_set():
                    raise Stopped
                received += len(chunk)
                body += inflate(chunk, most + 1 - len(body))
                if received > most or len(body) > most:
                    raise FetchError(too_large)
        except (zlib.error, ValueError) as error:
            raise FetchError(Problem(Fault.MALFORMED, f"{url}: cannot be decompressed: {error}")) from error
        return bytes(body)

    def _robots_text(self, url: str) -> str | None:
        try:
            return self._follow(url, {}, robots=False).body.decode("utf-8", "replace")
        except FetchError as error:
            if error.problem.transient or error.problem.fault is Fault.ADDRESS:
                raise
            return None

    def _hold(self, host: str, retry_after: str) -> None:
        """Leave a host alone for as long as it asks (RFC 9110, section 10.2.3), within limits."""
        if retry_after.isdecimal():
            until = time.monotonic() + min(float(retry_after), self.options.longest_delay_seconds)
            with self._lock:
                self._free_at[host] = max(until, self._free_at.get(host, 0.0))

    def _wait(self, host: str, delay: float) -> None:
        with self._lock:
            now = time.monotonic()
            if len(self._free_at) > _MANY_HOSTS:
                self._free_at = {name: moment for name, moment in self._free_at.items() if moment > now}
            turn = max(now, self._free_at.get(host, 0.0))
            self._free_at[host] = turn + delay
        if self._stop.wait(turn - now):
            raise Stopped


class _Inflater:
    """Decompresses gzip or zlib chunk by chunk, never beyond what is asked for."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)

    def __call__(self, chunk: bytes, most: int) -> bytes:
        out = bytearray()
        while chunk and len(out) < most:
            out += self._stream.decompress(chunk, most - len(out))
            chunk = self._stream.unconsumed_tail
            if self._stream.eof:  # gzip may go on with a further member
                chunk = self._stream.unused_data.lstrip(b"\0")
                self._stream = zlib.decompressobj(self._wbits)
        return bytes(out)


def _inflater(encoding: str) -> "_Inflater":
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Identity(0)
    if name in ("gzip", "x-gzip"):
        return _Inflater(31)
    if name == "deflate":
        return _Inflater(15)
    raise ValueError(f"Content-Encoding {encoding!r} was not asked for")


class _Identity(_Inflater):
    def __init__(self, _: int) -> None:
        pass

    def __call__(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]


def plain_url(url: str) -> str:
    """A URL as it goes over the wire: ASCII, no fragment, no credentials.

    Raises:
        FetchError: It is not http or https, or names no host.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
        netloc = host.encode("idna").decode("ascii") if host and not host.isascii() else host
    except (ValueError, UnicodeError) as error:
        raise FetchError(Problem(Fault.ADDRESS, f"{url!r} is no URL: {error}")) from error
    if parts.scheme not in ("http", "https") or not netloc:
        raise FetchError(Problem(Fault.ADDRESS, f"{url!r}: only http and https addresses are fetched"))
    netloc = f"[{netloc}]" if ":" in netloc else netloc
    netloc = f"{netloc}:{port}" if port else netloc
    return urlunsplit((parts.scheme, netloc, quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE), ""))
