"""Desync by a head that is remembered, and clients that never read what they asked for (A081, A107)."""

import asyncio
import socket
from typing import Any

import pytest

from runtime import connection
from tests.runtime.test_front import Client, client, front

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["client", "front"]
ECHO = "/alice/api/w/echo"


@pytest.mark.parametrize(
    ("after", "body", "other"), [(b"\r\n", b"12345", b"67890"), (b"\r\n\r\n", b"1234", b"5678")]
)
async def test_empty_lines_behind_a_request_do_not_shift_the_next_body(
    client: Client, after: bytes, body: bytes, other: bytes
) -> None:
    for data in (body, body, body, other, other, other):
        await client.send(client.raw(ECHO, data) + after)
        assert (await client.read()).json() == int(data)


async def test_a_body_of_empty_lines_is_not_taken_for_the_end_of_the_head(client: Client) -> None:
    whole = client.raw(ECHO, b"\r\n\r\n")
    answers = []
    for data in (whole + b"\r\n\r\n", whole + b"\r\n\r\n", whole + b"1234"):
        await client.send(data)
        answers.append((await client.read()).status)
    assert len(set(answers)) == 1
    assert await client.ended()  # "1234" was not the body


async def test_who_never_reads_is_let_go(front: Any, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = socket.socket()
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bare.connect(("127.0.0.1", front.port))
    bare.setblocking(False)
    loop, ask = asyncio.get_running_loop(), Client(front.port, alice.token)
    text = b'"' + b"x" * 900_000 + b'"'
    for _ in range(12):
        try:
            await asyncio.wait_for(loop.sock_sendall(bare, ask.raw(ECHO, text)), 2)
        except TimeoutError:
            break
    assert any(one.full for one in front.connections)
    for name in ("HEAD_S", "BODY_S", "IDLE_S"):
        monkeypatch.setattr(connection, name, 0.05)
    for one in front.connections:
        one.idle = front.now
    async with asyncio.timeout(8):
        while front.connections:
            await asyncio.sleep(0.1)
    bare.close()
