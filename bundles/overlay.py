"""Lays one mapping over another: mappings key by key, lists of named things by name, all else replaced."""

from bundles.values import Mapping, Node, Scalar, Sequence


def merge(base: Mapping, over: Mapping, *, leave: frozenset[str] = frozenset()) -> Mapping:
    """A new mapping; the keys in `leave` stay as they are in `base`. Every value keeps its own place."""
    entries, keys = dict(base.entries), dict(base.keys)
    for key, value in over.entries.items():
        if key in leave:
            continue
        entries[key] = _merged(entries.get(key), value)
        keys[key] = over.keys[key]
    return Mapping(base.place, entries, keys)


def name_of(node: Node) -> str:
    """The `name` in a mapping, when it is a text."""
    found = node.entries.get("name") if isinstance(node, Mapping) else None
    return found.text if isinstance(found, Scalar) and found.kind == "str" else ""


def _merged(old: Node | None, new: Node) -> Node:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return merge(old, new)
    if isinstance(old, Sequence) and isinstance(new, Sequence) and _is_named(old) and _is_named(new):
        return _by_name(old, new)
    return new


def _is_named(sequence: Sequence) -> bool:
    return all(name_of(item) for item in sequence.items)


def _by_name(old: Sequence, new: Sequence) -> Sequence:
    items: list[Node] = list(old.items)
    places = {name_of(item): index for index, item in reversed(list(enumerate(items)))}
    for item in new.items:
        index = places.get(name_of(item))
        if index is None:
            items.append(item)
        else:
            items[index] = _merged(items[index], item)
    return Sequence(old.place, items)
