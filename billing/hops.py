"""Where a redirect leads: the next request, judged like the first, without what only the first origin may see."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urldefrag, urljoin

from billing.body import EgressFailed
from billing.gate import SAFE_HEADERS, Gate
from billing.pool import Ask

REDIRECTS = (301, 302, 303, 307, 308)


def following(ask: Ask, status: int, headers: Mapping[str, str], gate: Gate) -> Ask | None:
    """The request that a redirect asks for; None when the answer is none."""
    location = headers.get("location")
    if status not in REDIRECTS or location is None:
        return None
    try:
        url, _ = urldefrag(urljoin(ask.place.url, location.strip()))
    except ValueError:
        raise EgressFailed("the other side redirects to something that is not a URL") from None
    place = gate.place(url)
    sent = dict(ask.headers)
    if (place.scheme, place.host, place.port) != (ask.place.scheme, ask.place.host, ask.place.port):
        sent = {name: value for name, value in sent.items() if name.lower() in SAFE_HEADERS}
    if status in (307, 308) or (status in (301, 302) and ask.method != "POST") or ask.method == "HEAD":
        return replace(ask, place=place, headers=sent)
    sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
    return replace(ask, method="GET", place=place, headers=sent, content=b"")
