"""A URL that somebody else wrote, read strictly, resolved once and judged by the addresses behind it."""

import asyncio
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import quote, urlsplit

import idna

from billing import addresses

PORTS = {"http": 80, "https": 443}
MAX_URL = 8192
SHORT_URL = 512
RESOLVE_SECONDS = 5.0
MOST_LOOK_UPS = 500  # at the same time; threads of slow ones live on after they were given up

Resolver = Callable[[str, int], Sequence[str]]
AsyncResolver = Callable[[str, int], Awaitable[Sequence[str]]]

_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]@]+))(?::(?P<port>[0-9]{1,5})?)?\Z")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_LOOK_UPS = threading.BoundedSemaphore(MOST_LOOK_UPS)
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")


class EgressRefused(Exception):
    """The platform does not connect there. `reason` is fit to be shown to the person who wrote the URL."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes. `addresses` are vetted: connect to these and never resolve the name again."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...] = ()
    target: str = "/"
    exempt: bool = False  # the operator named this host and port: any address may answer

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL as we read it: what we connect with is what we vetted."""
        return f"{self.scheme}://{self.authority}{self.target}"


def vet(url: str, *, allow: Iterable[str] | None = None, resolve: Resolver | None = None) -> Destination:
    """Read, resolve and judge `url`; EgressRefused unless every answer is a public address."""
    place = read(url, allow=allow)
    answers = (resolve or system_resolve)(place.host, place.port)
    return judge(place, answers)


async def avet(
    url: str, *, allow: Iterable[str] | None = None, resolve: AsyncResolver | None = None
) -> Destination:
    """`vet` for async callers: the resolver runs without blocking the loop."""
    place = read(url, allow=allow)
    answers = await (resolve or system_aresolve)(place.host, place.port)
    return judge(place, answers)


def read(url: str, *, allow: Iterable[str] | None = None) -> Destination:
    """The syntax part of `vet`: scheme, host spelling and port. Nothing is resolved."""
    if len(url) > MAX_URL:
        raise EgressRefused(f"the URL is longer than {MAX_URL} characters")
    return _read_again(url, allowed(allow)) if len(url) <= SHORT_URL else _read(url, allowed(allow))


def _read(url: str, allow: frozenset[str]) -> Destination:
    if _UNSAFE.search(url):
        raise EgressRefused("the URL contains a space, a control character or a backslash")
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in PORTS:
        raise EgressRefused("only http:// and https:// URLs are allowed")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
    except ValueError:
        raise EgressRefused("the URL cannot be read") from None
    host, port = _authority(parts.netloc, PORTS[scheme])
    exempt = _check_port(host, port, allow)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)
    return Destination(scheme, host, port, target=target, exempt=exempt)


_read_again = lru_cache(maxsize=512)(
    _read
)  # flows ask for the same addresses over and over; refusals are not kept


def at(host: str, port: int, *, allow: Iterable[str] | None = None) -> Destination:
    """The same reading for a host and port that an HTTP library is about to connect to."""
    name = _literal_v6(host) if ":" in host else _host(host)
    return Destination("https", name, port, exempt=_check_port(name, port, allowed(allow)))


def judge(place: Destination, answers: Iterable[str]) -> Destination:
    """`place` with its vetted addresses; one answer that is not public refuses them all."""
    found = tuple(dict.fromkeys(answers))
    if not found:
        raise EgressRefused(f"destination not allowed: no address found for {place.host}")
    for answer in () if place.exempt else found:
        address = addresses.parse(answer)
        why = "not an address" if address is None else addresses.why_not_public(address)
        if why:
            raise EgressRefused(f"destination not allowed: {place.host} is not on the internet ({why})")
    return Destination(place.scheme, place.host, place.port, found, place.target, place.exempt)


def allowed(allow: Iterable[str] | None) -> frozenset[str]:
    """The operator's exceptions, "host:port" each ("*:port" opens a port for public hosts)."""
    if allow is None:
        allow = _from_settings()
    return _spelled(allow if isinstance(allow, frozenset) else tuple(allow))


@lru_cache(maxsize=64)
def _spelled(allow: Hashable) -> frozenset[str]:
    assert isinstance(allow, Iterable)
    return frozenset(entry.strip().lower() for entry in allow if entry.strip())


def _from_settings() -> Iterable[str]:
    settings, unconfigured = _project()
    try:
        return tuple(getattr(settings, "EGRESS_ALLOW", ()))
    except unconfigured:  # used outside a Django project: no exceptions
        return ()


@cache
def _project() -> tuple[object, type[Exception]]:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    return settings, ImproperlyConfigured


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The system's resolver, given up after a few seconds (a hostile name server answers slowly)."""
    if addresses.parse(host):
        return (host,)
    answers: list[str] = []
    asking = _look_up(host, port, answers.extend)
    asking.join(RESOLVE_SECONDS)
    if asking.is_alive():
        raise _too_slow(host)
    return answers


async def system_aresolve(host: str, port: int) -> Sequence[str]:
    if addresses.parse(host):
        return (host,)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def arrived(found: list[str]) -> None:
        if not answer.done():
            answer.set_result(found)

    def hand_over(found: list[str]) -> None:
        with suppress(RuntimeError):  # the loop may be gone by now
            loop.call_soon_threadsafe(arrived, found)

    _look_up(host, port, hand_over)
    try:
        return await asyncio.wait_for(answer, RESOLVE_SECONDS)
    except TimeoutError:
        raise _too_slow(host) from None


def _look_up(host: str, port: int, tell: Callable[[list[str]], None]) -> threading.Thread:
    """A thread for each look-up: what waits for a name server must not keep a shared pool from other work."""
    if not _LOOK_UPS.acquire(blocking=False):
        raise EgressRefused(f"destination not allowed: too many names are being looked up, {host} was not")

    def ask() -> None:
        try:
            found = _getaddrinfo(host, port)
        finally:
            _LOOK_UPS.release()
        tell(found)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    return asking


def _too_slow(host: str) -> EgressRefused:
    return EgressRefused(f"destination not allowed: looking up {host} takes too long")


def _getaddrinfo(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def _authority(netloc: str, default_port: int) -> tuple[str, int]:
    if "@" in netloc:
        raise EgressRefused("a user name or password in the URL is not allowed")
    match = _AUTHORITY.match(netloc)
    if not match:
        raise EgressRefused("the host of the URL cannot be read")
    port = int(match["port"]) if match["port"] else default_port
    if not 0 < port < 65536:
        raise EgressRefused("the port of the URL is out of range")
    return (_literal_v6(match["v6"]) if match["v6"] else _host(match["name"])), port


def _literal_v6(text: str) -> str:
    address = addresses.parse(text)
    if address is None or address.version != 6:
        raise EgressRefused("the host of the URL is not an IPv6 address")
    return str(address)


def _host(name: str) -> str:
    """A DNS name in ASCII, or an IPv4 address in dotted decimal: no other spelling of a number passes."""
    ascii_name = _to_ascii(name).removesuffix(".")
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.match(label) for label in labels):
        raise EgressRefused("the host of the URL is not a valid name")
    if _NUMBER.match(labels[-1]) and not addresses.parse(ascii_name):
        raise EgressRefused("the host of the URL is an oddly written number")
    return ascii_name


def _to_ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise EgressRefused("the host of the URL is not a valid name") from None


def _check_port(host: str, port: int, allow: frozenset[str]) -> bool:
    """True when the operator exempted this host and port; EgressRefused when the port is closed."""
    spelled = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if spelled in allow:
        return True
    if port not in PORTS.values() and f"*:{port}" not in allow:
        raise EgressRefused(f"destination not allowed: port {port} is closed (80 and 443 are open)")
    return False
