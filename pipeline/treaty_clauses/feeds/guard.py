"""Which addresses may be asked: none that is private, checked where the connection is made, so at every redirect.

The name is resolved once and the connection goes to the very address that was checked, so a name server that answers
differently the second time (DNS rebinding) gains nothing. Every connection has one deadline, handshake included.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from treaty_clauses.items import Fault, Problem

#: Prefixes that carry an IPv4 address inside an IPv6 one: NAT64 (RFC 6052) and 6to4 (RFC 3056), with its first byte.
_EMBEDDING = ((ipaddress.ip_network("64:ff9b::/96"), 12), (ipaddress.ip_network("2002::/16"), 2))


class FetchError(Exception):
    """A page could not be fetched, or may not be; `problem` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def is_public(address: str) -> bool:
    """Whether an IP address is one that anyone on the internet may be asked for.

    >>> is_public("8.8.8.8"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1"), is_public("169.254.169.254")
    (True, False, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        for network, first in _EMBEDDING:
            if ip in network:
                return is_public(str(ipaddress.IPv4Address(ip.packed[first : first + 4])))
        if ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host, all of them checked.

    Raises:
        FetchError: The name is unknown, or one of its addresses is not public and `allow_private` is not set.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(Problem(Fault.CONNECTION, f"{host}: no such host ({error})", transient=True)) from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    private = [address for address in addresses if not is_public(address)]
    if private and not allow_private:
        raise FetchError(Problem(Fault.ADDRESS, f"{host} is at {private[0]}, a private address; see --allow-private"))
    return addresses


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only; one deadline for all that is done on a connection."""

    def __init__(self, *, allow_private: bool, total_seconds: float) -> None:
        self._allow_private = allow_private
        self._total_seconds = total_seconds
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers."""
        deadline = time.monotonic() + self._total_seconds
        failure: Exception | None = None
        for address in resolve(host, port, allow_private=self._allow_private):
            try:
                stream = self._backend.connect_tcp(
                    address, port, _left(deadline, timeout, httpcore.ConnectTimeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _DeadlineStream(stream, deadline)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Refused: no page is behind a socket of this machine.

        Raises:
            FetchError: Always.
        """
        del timeout, socket_options
        raise FetchError(Problem(Fault.ADDRESS, f"{path}: no sockets of this machine"))

    def sleep(self, seconds: float) -> None:
        """Sleep, as httpcore asks before it tries a connection again."""
        time.sleep(seconds)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream on which nothing is waited for beyond the deadline, however slowly the bytes drip in."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None, late: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the time limit for the whole answer is over")
    return left if timeout is None else min(left, timeout)
