"""Prints the path of a Chromium for the browser tests, fetching one when there is none; else exits with 1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> str | None:
    return os.environ.get("PRIOSTACK_TEST_CHROMIUM") or installed() or from_apt() or from_playwright()


def installed() -> str | None:
    known = next((path for name in NAMES if (path := shutil.which(name)) and works(path)), None)
    return known or (str(MAC) if MAC.exists() else None) or playwrights()


def works(path: str) -> bool:
    """Ubuntu's chromium-browser may be an empty shell that only asks for a snap."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.returncode == 0 and "hrom" in told.stdout


def playwrights() -> str | None:
    """The browser that `playwright install` fetched, if its libraries are there too."""
    code = "from playwright.sync_api import sync_playwright\n"
    code += "with sync_playwright() as p: print(p.chromium.executable_path)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    path = told.stdout.strip()
    return path if path and Path(path).exists() and works(path) else None


def from_apt() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say("no Chromium found, installing the package chromium")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False, stdout=sys.stderr)
    argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    subprocess.run(argv, env=env, check=False, stdout=sys.stderr)
    return installed()


def from_playwright() -> str | None:
    say("no Chromium found, fetching Playwright's")
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdout=sys.stderr
    )
    return playwrights()


def say(text: str) -> None:
    print(f"› {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    path = find()
    if path is None:
        say("NO CHROMIUM: the browser tests are skipped. Install the package chromium, or run")
        say("  .venv/bin/python -m playwright install --with-deps chromium")
        sys.exit(1)
    print(path)
