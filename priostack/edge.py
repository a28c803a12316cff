"""A process of the data plane alone: no Django middleware, no sessions, no pages; a server of its own (runtime/front.py).

`python -m priostack.edge --host H --port P --processes N`. They share the port: the system spreads connections over
them, and one that dies is started again.
"""

import argparse
import asyncio
import os
import signal
import sys

from priostack import up

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m priostack.edge", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8001, help="port")
    parser.add_argument("--processes", type=int, default=1, help="how many, one for each core")
    parser.add_argument("--shared", action="store_true", help="others that belong to it use the port, too")
    return parser.parse_args(argv)


async def serve(host: str, port: int) -> None:
    """Until SIGTERM or SIGINT; calls that are under way end first."""
    from runtime.front import Front
    from runtime.gateway import gateway

    gateway.role = "edge"
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    await Front(gateway).serve(host, port, ending)


def several(count: int, *, host: str, port: int) -> None:
    from priostack import settings
    from priostack.plan import Plan

    up.become(Plan(tuple(up.edges(count, host=host, port=port))), settings.DATA_DIR / f"edge-{port}.json")


def main(argv: list[str]) -> None:
    options = arguments(argv)
    if not options.shared and (why := up.refused(options.host, options.port)):
        sys.exit(why)
    if options.processes > 1:
        return several(options.processes, host=options.host, port=options.port)
    import django

    django.setup()
    if sys.platform == "win32":
        return asyncio.run(serve(options.host, options.port))
    import uvloop

    uvloop.run(serve(options.host, options.port))


if __name__ == "__main__":
    main(sys.argv[1:])
