"""placeholder"""
from typing import Any


class Gateway:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    async def lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return


gateway = Gateway()
