"""Runs git on somebody else's repository: bare, without configuration, hooks or prompts, within limits."""

import base64
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from billing.addresses import parse
from billing.destination import Destination
from bundles.filenames import LIMITS, ArchiveRefused, Limits, shown

MEMORY_KB = 2_000_000
_NOT_STARTED = (126, 127)  # what a shell answers
TEXT = 16_384  # of what git says, the end is kept

# The limits are set by a shell that becomes git: safe beside threads, inherited by all that git starts.
_LIMITED = 'ulimit -c 0; ulimit -t "$1"; ulimit -f "$2"; ulimit -v "$3" 2>/dev/null; shift 3; exec "$@"'

_CONFIG = {
    "core.askPass": "",
    "core.deltaBaseCacheLimit": "32m",
    "core.hooksPath": os.devnull,
    "core.packedGitLimit": "256m",
    "core.packedGitWindowSize": "32m",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",  # always one pack file, so that the file size limit bounds the whole download
    "gc.auto": "0",
    "http.followRedirects": "false",  # also closes the alternates of the old protocol
    "http.lowSpeedLimit": "500",
    "http.lowSpeedTime": "15",
    "http.proxy": "",
    "http.sslVerify": "true",
    "init.defaultBranch": "main",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "protocol.allow": "never",
    "submodule.recurse": "false",
    "transfer.bundleURI": "false",
    "transfer.fsckObjects": "true",
    "transfer.unpackLimit": "1",
}


class GitRefused(ArchiveRefused):
    """A repository that is not imported, and why; never carries a token or a path of this server."""


class GitFailed(Exception):
    """git ended with an error. `text` is what it said, cleaned."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class GitLimits:
    """Bounds on one fetch, and on the files it may bring."""

    seconds: float = 60.0
    packed: int = 60_000_000
    listing: int = 4_000_000
    files: Limits = LIMITS


@dataclass(slots=True)
class Git:
    """A temporary bare repository, gone with everything git started when the `with` block ends."""

    place: Destination
    token: str | None
    limits: GitLimits
    folder: Path = field(init=False)
    deadline: float = field(init=False)

    def __enter__(self) -> "Git":
        self.deadline = time.monotonic() + self.limits.seconds
        self.folder = Path(tempfile.mkdtemp(prefix="priostack-git-"))
        for name in ("home", "repository"):
            (self.folder / name).mkdir()
        try:
            self.run("init", "--bare", "--quiet", "--template=", ".")
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def run(self, *args: str, stdin: bytes = b"", most: int | None = None) -> bytes:
        """The output of `git args`; GitFailed when git fails, GitRefused beyond a limit."""
        most = self.limits.listing if most is None else most
        given, said = self.folder / "stdin", self.folder / "stderr"
        given.write_bytes(stdin)
        with given.open("rb") as source, said.open("wb") as errors:
            process = self._start(args, source.fileno(), errors.fileno())
            try:
                output = self._drain(process, most)
                code = process.wait(max(0.1, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise self._too_slow() from None
            finally:
                _end(process)
        if code in _NOT_STARTED:
            raise GitRefused("git cannot be started on this server")
        if code:
            raise GitFailed(self.cleaned(_tail(said)))
        return output

    def cleaned(self, text: str) -> str:
        """Without the token in any of its forms, URLs' credentials, our paths and control characters."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        text = text.replace(self.place.url, "the repository")
        text = re.sub(r"://[^/@\s]*@", "://", text).replace(str(self.folder), "")
        return "\n".join(shown(line) for line in text.splitlines())

    def _start(self, args: tuple[str, ...], stdin: int, stderr: int) -> subprocess.Popen[bytes]:
        seconds, blocks = int(self.limits.seconds) + 1, self.limits.packed // 512
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", _LIMITED, "sh", str(seconds), str(blocks), str(MEMORY_KB), "git", *args],
                cwd=self.folder / "repository", env=self._environment(), start_new_session=True,
                stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        except OSError:
            raise GitRefused("git cannot be started on this server") from None

    def _drain(self, process: subprocess.Popen[bytes], most: int) -> bytes:
        assert process.stdout is not None
        output = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while True:
                left = self.deadline - time.monotonic()
                if left <= 0 or not ready.select(left):
                    raise self._too_slow()
                part = os.read(process.stdout.fileno(), 65_536)
                output += part
                if len(output) > most:
                    raise GitRefused("the repository is too large for a bundle")
                if not part:
                    return bytes(output)

    def _too_slow(self) -> GitRefused:
        return GitRefused(f"the repository did not arrive within {self.limits.seconds:g} seconds")

    def _environment(self) -> dict[str, str]:
        """All that git sees of this server: no proxies, no settings; the token is not on a command line."""
        home = str(self.folder / "home")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home, "XDG_CONFIG_HOME": home, "TMPDIR": home, "LC_ALL": "C", "LANGUAGE": "C",
            "GIT_ALLOW_PROTOCOL": self.place.scheme, "GIT_ATTR_NOSYSTEM": "1", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_CEILING_DIRECTORIES": str(self.folder), "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "",
        }  # fmt: skip
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"):  # the operator's own authorities
            if name in os.environ:
                environment[name] = os.environ[name]
        return environment | _as_environment(_CONFIG | self._pin() | self._authorization())

    def _pin(self) -> dict[str, str]:
        """git connects to the addresses that were vetted and resolves nothing itself."""
        if parse(self.place.host):
            return {}
        answers = ",".join(f"[{a}]" if ":" in a else a for a in self.place.addresses)
        return {"http.curloptResolve": f"{self.place.host}:{self.place.port}:{answers}"}

    def _authorization(self) -> dict[str, str]:
        return {"http.extraHeader": f"Authorization: Basic {self._basic()}"} if self.token else {}

    def _basic(self) -> str:
        token = self.token or ""
        user = "x-token-auth" if self.place.host == "bitbucket.org" else "x-access-token"
        pair = token if ":" in token else f"{user}:{token}"
        return base64.b64encode(pair.encode()).decode()

    def _secrets(self) -> list[str]:
        if not self.token:
            return []
        return [self._basic(), self.token, *filter(None, [self.token.partition(":")[2]])]

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _as_environment(config: Mapping[str, str]) -> dict[str, str]:
    pairs = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return pairs


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill git and its helpers, unless git has ended: then its id may belong to somebody else already."""
    if process.stdout is not None:
        process.stdout.close()
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait()


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TEXT))
        return file.read(TEXT).decode("utf-8", "replace")
