"""The rounds of one process: R1 to R3 without asking anybody."""

from market.local import GRAINS, Local

CU = GRAINS


def test_an_instance_uses_its_room_and_no_more_of_a_round():
    local = Local()
    assert local.open("a", 1.0)
    local.spend("a", 81 * CU)
    assert not local.open("a", 1.001)  # less than the least piece is left
    assert local.open("b", 1.001)  # the room of another is its own
    assert local.open("a", 1.006)  # the next round


def test_what_was_not_used_is_room_again():
    local = Local()
    local.open("a", 1.0)
    local.spend("a", 100 * CU)
    local.spend("a", -60 * CU)
    assert local.open("a", 1.001)


def test_a_round_goes_on_while_something_works_but_not_for_ever():
    local = Local()
    local.open("a", 1.0)
    local.spend("a", 100 * CU)
    local.working = 1
    assert not local.open("a", 1.5)
    assert local.open("a", 2.01)
    local.spend("a", 100 * CU)
    local.working = 0
    assert local.open("a", 2.02)


def test_nothing_overtakes_what_waits_in_the_shared_queue():
    local = Local()
    local.join("a")
    local.join("a")
    assert not local.open("a", 1.0)
    local.leave("a")
    assert not local.open("a", 1.0)
    local.leave("a")
    assert local.open("a", 1.0)


def test_while_a_price_is_paid_nothing_is_granted_here():
    local = Local(contended=True)
    assert not local.open("a", 1.0)


def test_an_idle_engine_gives_one_instance_its_twenty_thousand_units_a_second():
    """R2: 100 CU in each of 200 short rounds."""
    local, now, used = Local(), 10.0, 0
    while now < 11.0:
        if local.open("a", now):
            local.spend("a", 20 * CU)
            used += 20
        now += 0.0002
    assert 19_000 <= used <= 20_000
