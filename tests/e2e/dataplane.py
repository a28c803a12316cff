"""The data plane's own server in a thread, for browsers that open pages of tenants."""

import asyncio
import threading
from types import TracebackType

from runtime.front import Front
from runtime.gateway import Gateway


class DataPlane:
    """Serves on a port of its own until it is closed."""

    def __enter__(self) -> "DataPlane":
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.front = Front(Gateway())
        self.server = asyncio.run_coroutine_threadsafe(self.front.listen("127.0.0.1", 0), self.loop).result(
            10
        )
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def close(self) -> None:
        self.server.close()
        for connection in list(self.front.connections):
            connection.close()
        await self.front.gateway.stop()
