"""`python -m tests.market.doomedcaller STEP TENANT NEED`: a process whose one call ends with it (-9) at a step."""

import asyncio
import os
import signal
import sys
from typing import Any

import django


async def main(step: str, tenant: str, need: int) -> None:
    from billing.models import Tenant
    from market.client import Client
    from tests.market.leaders import Callers

    if step in ("handed in", "granted"):
        name = {"handed in": "_send", "granted": "take"}[step]
        setattr(Client, name, dying(getattr(Client, name), step))
    owner = await Tenant.objects.aget(pk=tenant)
    async with Callers() as callers:
        print("ready", flush=True)
        ticket = callers.call(owner, need)
        await callers.until(lambda: ticket.charged > 0)
        if step == "at work":
            die()
        callers.client.leave(ticket, need)
        await asyncio.sleep(0.3)  # so that the word of it has left
        die()


def dying(function: Any, step: str) -> Any:
    if step == "handed in":

        async def sent(self: Any, messages: list[bytes]) -> None:
            await function(self, messages)
            if self.tickets:
                die()

        return sent

    def taken(self: Any, message: Any) -> None:
        if message.get("g"):
            die()
        function(self, message)

    return taken


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    django.setup()
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
