"""robots.txt, by protego, kept for a day (RFC 9309)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

_KEPT_SECONDS = 24 * 3600  # RFC 9309, section 2.4: not longer than 24 hours
_MOST_CHARS = 500 * 1024  # section 2.5: at least 500 kibibytes must be read
_MOST_HOSTS = 1_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What a host allows; `delay_seconds` is the pause it asks for."""

    parser: Protego | None
    user_agent: str
    delay_seconds: float = 0.0

    def allowed(self, url: str) -> bool:
        """Whether the page may be fetched."""
        return self.parser is None or self.parser.can_fetch(url, self.user_agent)


class Robots:
    """The rules of hosts. `fetch` gives the text at a URL, None where there is none, and raises when nobody can say."""

    def __init__(self, fetch: Callable[[str], str | None], user_agent: str) -> None:
        self._fetch = fetch
        self._user_agent = user_agent
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Rules]] = OrderedDict()

    def rules(self, url: str) -> Rules:
        """The rules for a URL's host.

        Raises:
            FetchError: The host does not answer for its robots.txt; then nothing of it may be fetched (RFC 9309, 2.3.1.4).
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            known = self._known.get(origin)
        if known is not None and time.monotonic() - known[0] < _KEPT_SECONDS:
            return known[1]
        rules = self._read(self._fetch(f"{origin}/robots.txt"))
        with self._lock:
            self._known[origin] = (time.monotonic(), rules)
            while len(self._known) > _MOST_HOSTS:
                self._known.popitem(last=False)
        return rules

    def _read(self, text: str | None) -> Rules:
        if text is None:
            return Rules(None, self._user_agent)
        parser = Protego.parse(text[:_MOST_CHARS])
        return Rules(parser, self._user_agent, float(parser.crawl_delay(self._user_agent) or 0.0))
