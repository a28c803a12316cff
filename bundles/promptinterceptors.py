"""`interceptors:` in the front matter of prompts, and around which endpoints they lie."""

from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import replace

from bundles import interceptor, prompt
from bundles.interceptor import Interceptors
from bundles.interceptorkinds import KINDS
from bundles.service import Endpoint, Service
from bundles.values import Place, Report

WORD = b"interceptors"
MOST = 500  # prompts that may have some


def read(files: Map[str, bytes], prompts: Map[str, str], report: Report) -> dict[str, Interceptors]:
    """By the name of the prompt; only files that hold the word are read."""
    found: dict[str, Interceptors] = {}
    holding = [(name, path) for name, path in prompts.items() if WORD in files.get(path, b"")]
    for name, path in holding[:MOST]:
        node = prompt.load(files, path).node("interceptors")
        if node is not None:
            found[name] = interceptor.read(node, report, scope="prompt")
    for _, path in holding[MOST:]:
        report.error(Place(path, 1, 1), f"at most {MOST} prompts of a bundle may have interceptors")
    return found


def around(services: Iterable[Service], found: Map[str, Interceptors], report: Report) -> tuple[Service, ...]:
    """The services with the interceptors of the prompts that their endpoints call, inside of their own."""
    if not found:
        return tuple(services)
    return tuple(
        replace(service, endpoints=tuple(wrapped(one, found, report) for one in service.endpoints))
        for service in services
    )


def wrapped(endpoint: Endpoint, found: Map[str, Interceptors], report: Report) -> Endpoint:
    own = found.get(endpoint.to.module, ()) if endpoint.to.kind == "prompt" else ()
    if not own:
        return endpoint
    every = within(endpoint.interceptors, own)
    interceptor.check_access(every, endpoint.auth, report)
    return replace(endpoint, interceptors=every)


def within(outer: Interceptors, inner: Interceptors) -> Interceptors:
    """What the endpoint says stands: a prompt, which may come from a package, takes nothing away from it."""
    said = {one.kind for one in outer}
    kept = [one for one in inner if not one.off and not (KINDS[one.kind].single and one.kind in said)]
    return tuple(sorted([*outer, *kept], key=interceptor.rank))
