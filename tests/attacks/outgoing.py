"""Addresses that nobody may reach through us, by their attack (ATTACKS A001–A013), and a name server of ours."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PUBLIC = "93.184.215.14"
NAMES = {
    "loopback.example": ["127.0.0.1"], "six.example": ["::1"], "mixed.example": [PUBLIC, "10.0.0.1"],
    "behind.example": ["10.0.0.1", PUBLIC], "metadata.google.internal": ["169.254.169.254"],
    "example.org": [PUBLIC], "mapped.example": ["::ffff:127.0.0.1"], "nowhere.example": [],
}  # fmt: skip

# {port} is that of a listener on loopback that must hear nothing; the port itself is open.
ADDRESSES = {
    "A001": ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://0.0.0.0:{port}/", "http://[::1]:{port}/"],
    "A002": [
        "http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/computeMetadata/v1/",
        "http://[fd00:ec2::254]/latest/", "http://100.100.100.200/latest/",
    ],
    "A003": [
        "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://[fc00::1]/",
        "http://[fe80::1]/", "http://0.1.2.3/", "http://224.0.0.1/", "http://255.255.255.255/", "http://192.0.0.8/",
        "http://[ff02::1]/", "http://[fec0::1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:7f00:1::1]/",
    ],
    "A004": [
        "http://[::ffff:169.254.169.254]/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/",
        "http://mapped.example:{port}/",
    ],
    "A005": [
        "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0177.0.0.1:{port}/", "http://127.1:{port}/",
        "http://127.0.0.1.:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://[::1%25lo]:{port}/",
    ],
    "A006": [
        "http://loopback.example:{port}/", "http://six.example:{port}/", "http://mixed.example/",
        "http://behind.example/", "http://nowhere.example/",
    ],
    "A009": [
        "file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1:{port}/_x", "dict://127.0.0.1:{port}/",
        "ldap://example.org/", "data:text/plain,x", "jar:http://example.org!/", "unix:///var/run/docker.sock",
        "ext::sh -c id", "//127.0.0.1:{port}/", "example.org",
    ],
    "A010": [
        "http://example.org@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.org/",
        "http://example.org\\@127.0.0.1:{port}/", "http://example.org:80@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\t.example.org/", "http://127.0.0.1\n:{port}/", "http://[::1]@127.0.0.1:{port}/",
    ],
    "A011": [f"http://example.org:{port}/" for port in (6379, 5432, 25, 22, 2375, 11211)],
    "A013": ["http://example.org/\r\nX-Injected: 1", "http://example.org/ HTTP/1.1\r\nHost: inside\r\n\r\n"],
}  # fmt: skip


def table(port: int) -> dict[str, str]:
    """Every address once, by its attack: {"A001 http://…": "http://…"}."""
    return {
        f"{attack} {written}": written.replace("{port}", str(port))
        for attack, all_written in ADDRESSES.items()
        for written in all_written
    }


class NameServer:
    """Answers for the names it knows, in turn where a list of lists is given; all else goes to the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.over = threading.Event()
        self.turns: dict[str, list[list[str]]] = {name: [answers] for name, answers in NAMES.items()}
        self.real: Callable[..., Any] = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """*.silent.example is asked for in vain until the end of the block."""
        try:
            yield
        finally:
            self.over.set()

    def __call__(self, host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if str(host).endswith(".silent.example"):
            self.asked.append(host)
            self.over.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        if host not in self.turns:
            return self.real(host, port, *args, **more)
        self.asked.append(host)
        turns = self.turns[host]
        answers = turns.pop(0) if len(turns) > 1 else turns[0]
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port)) for answer in answers]
