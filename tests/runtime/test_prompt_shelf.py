"""What is kept for readers who come back has a budget: of a tenant, and of the process."""

from runtime.promptshelf import Shelf, Shelves


def test_who_was_read_longest_ago_loses_first() -> None:
    shelf = Shelf(100)
    assert shelf.put("a", 40) == shelf.put("b", 40) == shelf.put("a", 45) == []
    assert shelf.put("c", 40) == ["b"]
    assert (shelf.bytes, list(shelf.of)) == (85, ["a", "c"])


def test_one_that_is_larger_than_all_the_room_keeps_nothing() -> None:
    shelf = Shelf(100)
    assert shelf.put("a", 101) == ["a"]
    assert shelf.bytes == 0


def test_a_tenant_costs_another_nothing_until_all_have_too_much() -> None:
    shelves = Shelves(100, 60)
    assert shelves.put("alice", "a", 50) == []
    assert shelves.put("bob", "b", 40) == []
    assert shelves.put("bob", "c", 30) == ["b"]
    assert (shelves.whole.bytes, shelves.tenants["bob"].bytes) == (80, 30)
    assert shelves.put("charlie", "d", 30) == ["a"]


def test_what_ended_leaves_nothing() -> None:
    shelves = Shelves(100, 60)
    shelves.put("alice", "a", 50)
    shelves.take_away("alice", "a")
    shelves.take_away("alice", "none")
    assert (shelves.whole.bytes, shelves.whole.of, shelves.tenants) == (0, {}, {})
