"""Compiles modules in a limited child process and keeps the result: ours alone, checked before it is loaded.

`python -m runtime.compile IN OUT` is the child.
"""

import hashlib
import hmac
import os
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import wasmtime

from runtime.wasmconfig import CONFIG, VERSION, settings

CHILD_MEMORY = 2 * 1024 * 1024 * 1024
CHILD_CPU_S = 45
TIMEOUT_S = 60.0
MAX_CODE = 256 * 1024 * 1024


class CompileError(Exception):
    """The module cannot be compiled; the text is for its author."""


class CodeCache:
    """Compiled modules under one private directory, by the hash of their source bytes.

    Loading compiled code runs it as native code, so every file carries a keyed MAC beside it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        key: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
        cpu_s: int = CHILD_CPU_S,
    ) -> None:
        self.root = directory
        self.directory = directory / f"{VERSION}-{CONFIG}"
        self.timeout_s, self.cpu_s = timeout_s, cpu_s
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.root, self.directory):
            folder.chmod(0o700)
        self._key = hashlib.blake2b(key).digest() if key else self._own_key()

    def path(self, sha256: str) -> Path:
        """Where the compiled form of a module is or will be."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("not a SHA-256 in lower-case hexadecimal")
        return self.directory / f"{sha256}.cwasm"

    def find(self, sha256: str) -> Path | None:
        """The compiled file when it is there and is what we wrote."""
        path = self.path(sha256)
        try:
            expected = path.with_suffix(".mac").read_bytes()
            good = hmac.compare_digest(self._mac(sha256, path.read_bytes()), expected)
        except FileNotFoundError:
            return None
        return path if good else None

    def compiled(self, data: bytes) -> Path:
        """The compiled file for these bytes, compiling them when needed; raises CompileError."""
        sha256 = hashlib.sha256(data).hexdigest()
        return self.find(sha256) or self._compile(sha256, data)

    def remove(self, sha256: str) -> None:
        """Forget a module."""
        for path in (self.path(sha256), self.path(sha256).with_suffix(".mac")):
            path.unlink(missing_ok=True)

    def _compile(self, sha256: str, data: bytes) -> Path:
        with tempfile.TemporaryDirectory(dir=self.directory, prefix=".tmp-") as folder:
            source, output = Path(folder) / "in.wasm", Path(folder) / "out.cwasm"
            source.write_bytes(data)
            _run_child(source, output, self.timeout_s, self.cpu_s)
            mac = Path(folder) / "mac"
            mac.write_bytes(self._mac(sha256, output.read_bytes()))
            for path in (output, mac):
                path.chmod(0o600)
            mac.replace(self.path(sha256).with_suffix(".mac"))
            output.replace(self.path(sha256))
        return self.path(sha256)

    def _mac(self, sha256: str, code: bytes) -> bytes:
        head = f"{self.directory.name}/{sha256}/".encode()
        return hashlib.blake2b(head + code, key=self._key).digest()

    def _own_key(self) -> bytes:
        path = self.root / "key"
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(64))
        return hashlib.blake2b(path.read_bytes()).digest()


def _run_child(source: Path, output: Path, timeout_s: float, cpu_s: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "runtime.compile", str(source), str(output), str(cpu_s)],
        cwd=Path(__file__).parent.parent,
        # Strangers' bytes are parsed here: the child gets no setting and no secret.
        env={"PATH": os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise CompileError(f"compiling took longer than {timeout_s:g} seconds")
    finally:
        _end(child)
    if child.returncode != 0:
        raise CompileError(_reason(child.returncode, said.decode("utf-8", "replace").strip(), cpu_s))
    if not output.is_file():
        raise CompileError("the compiler wrote nothing")


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _reason(code: int, said: str, cpu_s: int) -> str:
    if code == 1 and said:
        return said
    if -code in (signal.SIGXCPU, signal.SIGKILL):
        return f"compiling used up its {cpu_s} seconds of processor time"
    return f"compiling needed more than its {CHILD_MEMORY >> 20} MiB of memory, or the compiler failed"


def plain(message: str) -> str:
    """wasmtime's explanation without its advice about settings; it names offsets, never paths."""
    lines = [line.strip() for line in message.splitlines() if line.strip() and line.strip() != "Caused by:"]
    seen = list(
        dict.fromkeys(
            line.split(": ", 1)[1] if line[:1].isdigit() and ": " in line else line for line in lines
        )
    )
    return ": ".join(seen)[:500] or "the module is not valid"


def _limit(cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_CODE, MAX_CODE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(source: str, output: str, cpu_s: str) -> int:
    """The child: compile one file under hard limits; the reason of a refusal goes to standard output."""
    _limit(int(cpu_s))
    try:
        module = wasmtime.Module(wasmtime.Engine(settings()), Path(source).read_bytes())
        Path(output).write_bytes(module.serialize())
    except (wasmtime.WasmtimeError, MemoryError) as error:
        sys.stdout.write(plain(str(error)) or "out of memory")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
