"""A call's writes are applied once, all or nothing, and only when what it read still holds."""

import asyncio

import pytest

from runtime import kv


@pytest.fixture
def space(clean_redis):
    return kv.Space.of("t", "b")


async def test_writes_are_read_back_and_deletes_remove(space):
    await space.commit("e1", {}, {"a": b"1", "b": b""}, {})
    await space.commit("e2", {}, {"a": None}, {})
    assert await space.get(["a", "b", "c"]) == {"a": None, "b": b"", "c": None}


async def test_a_repeated_commit_changes_nothing(space):
    await space.commit("e1", {}, {"a": b"1"}, {})
    await space.commit("e2", {}, {"a": b"2"}, {})
    await space.commit("e1", {}, {"a": b"1"}, {})
    assert await space.get(["a"]) == {"a": b"2"}


async def test_a_changed_read_is_a_conflict_that_tells_the_present_value(space):
    await space.commit("e1", {}, {"a": b"1"}, {})
    with pytest.raises(kv.Conflict) as stale:
        await space.commit("e2", {"a": None, "z": None}, {"b": b"2"}, {})
    assert stale.value.fresh == {"a": b"1"}
    assert await space.get(["b"]) == {"b": None}


async def test_a_changed_listing_is_a_conflict(space):
    await space.commit("e1", {}, {"p:1": b"", "p:2": b"", "q": b""}, {})
    assert await space.names("p:") == ["p:1", "p:2"]
    with pytest.raises(kv.Conflict):
        await space.commit("e2", {}, {"x": b""}, {"p:": ["p:1"]})
    await space.commit("e3", {}, {"x": b""}, {"p:": ["p:1", "p:2"]})


async def test_a_listing_of_nothing_is_of_everything(space):
    await space.commit("e1", {}, {"é": b"", "a": b""}, {})
    assert await space.names("") == ["a", "é"]


async def test_too_much_state_is_refused_whole(space, monkeypatch):
    monkeypatch.setattr(kv, "MAX_BYTES", 10)
    await space.commit("e1", {}, {"a": b"12345"}, {})
    with pytest.raises(kv.Full):
        await space.commit("e2", {}, {"a": b"", "b": b"12345678901"}, {})
    assert await space.get(["a", "b"]) == {"a": b"12345", "b": None}


async def test_racing_increments_are_all_counted(space):
    async def increment(name: str) -> None:
        reads = await space.get(["n"])
        while True:
            count = int(reads["n"] or b"0") + 1
            try:
                return await space.commit(name, reads, {"n": str(count).encode()}, {})
            except kv.Conflict as stale:
                reads.update(stale.fresh)

    await asyncio.gather(*(increment(f"e{i}") for i in range(50)))
    assert await space.get(["n"]) == {"n": b"50"}
