"""A running bundle of Alice's with an echo and a counter, and the front door."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.attacks import door
from tests.runtime import stage

ROUTES = {
    "POST_echo": "wasm:echo:run",
    "POST_count": "wasm:counter:run",
    "POST_log": "wasm:logger:run",
    **{
        f"POST_{name}": f"wasm:trapper:{name}"
        for name in (
            "forever", "overflow", "hoard", "bad_pointer", "bad_length", "bad_json", "bad_host_pointer",
            "writes_then_traps", "chatters", "outside", "absent", "memory", "alloc",
        )
    },
}  # fmt: skip


@pytest.fixture
def shop(alice: Any, clean_redis: None) -> Any:
    return stage.run_bundle(
        alice, stage.bundle_files("shop", ["echo", "counter", "logger", "trapper"], **ROUTES)
    )


@pytest.fixture
async def knock(shop: Any) -> AsyncIterator[Any]:
    yield door.knock
    await door.leave()
