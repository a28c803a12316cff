"""Sealed bytes open only with our keys and only where they belong; rotation keeps them readable (A163)."""

import pytest

from billing.seal import Unreadable, is_stale, seal, unseal

OLD, NEW = "o" * 60, "n" * 60


def test_what_is_sealed_opens_again_and_is_not_there_in_clear():
    sealed = seal(b"canary-77", "a:1")
    assert b"canary" not in sealed
    assert unseal(memoryview(sealed), "a:1") == b"canary-77"
    assert seal(b"canary-77", "a:1") != sealed


def test_sealed_bytes_moved_to_another_place_stay_shut():
    with pytest.raises(Unreadable):
        unseal(seal(b"x", "tenant one"), "tenant two")


@pytest.mark.parametrize("position", [0, 2, 8, -1])
def test_a_changed_byte_is_noticed(position):
    raw = bytearray(seal(b"x", "p"))
    raw[position] ^= 1
    with pytest.raises(Unreadable):
        unseal(bytes(raw), "p")


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01" * 40])
def test_junk_is_unreadable_not_an_accident(junk):
    with pytest.raises(Unreadable):
        unseal(junk, "p")


def test_rotation_reads_the_old_and_writes_the_new(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    sealed = seal(b"kept", "p")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert unseal(sealed, "p") == b"kept"
    assert is_stale(sealed)
    assert not is_stale(seal(b"kept", "p"))
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Unreadable, match="SECRET_KEY_FALLBACKS"):
        unseal(sealed, "p")
