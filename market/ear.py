"""Waits for the first message of a list in Redis, to the millisecond.

The server ends a blocking command up to 100 ms late, which is a round of the market that begins late. So the command
stays where it is when our own time is up, and the next wait goes on with it.
"""

from redis import Redis
from redis.connection import Connection

LONGEST_S = 5.0  # a command ends by itself in the end, so that one whose connection died is noticed


class Ear:
    """A connection of its own; for one thread."""

    def __init__(self, client: Redis, name: str) -> None:
        self._pool, self._name = client.connection_pool, name
        self._connection: Connection | None = None
        self._asked = False

    def wait(self, seconds: float) -> None:
        """Until there is a message, which stays where it is; at most so long."""
        try:
            connection = self._ask()
            if connection.can_read(timeout=max(seconds, 0)):
                self._asked = False
                connection.read_response(timeout=1)
        except BaseException:
            self.close()
            raise

    def _ask(self) -> Connection:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        if not self._asked:
            ask = ("BLMOVE", self._name, self._name, "LEFT", "LEFT", LONGEST_S)
            self._connection.send_command(*ask)  # type: ignore[no-untyped-call]
            self._asked = True
        return self._connection

    def close(self) -> None:
        """An answer that may still come must not be taken for that to another question."""
        if self._connection is not None:
            self._connection.disconnect()  # type: ignore[no-untyped-call]
            self._pool.release(self._connection)
        self._connection, self._asked = None, False
