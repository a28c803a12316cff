"""Two runs side by side: steps meet by node and turn, and what is not the same is named."""

from runtime.flowdiff import pairs
from tests.runtime.test_flow_steps import recorded


def test_steps_meet_by_their_node_and_the_turn_it_took() -> None:
    one = [recorded("a", 0), recorded("b", 1), recorded("b", 2), recorded("c", 3)]
    two = [recorded("a", 0), recorded("b", 1), recorded("x", 2), recorded("c", 3)]
    found = [(pair.node, pair.nth, pair.differs) for pair in pairs(one, two)]
    assert found == [
        ("a", 1, ()),
        ("b", 1, ()),
        ("x", 1, ("only in the second",)),
        ("b", 2, ("only in the first",)),
        ("c", 1, ()),
    ]


def test_input_output_error_and_time_are_told_apart() -> None:
    one = recorded("a", 0, input="1", output="2")
    two = recorded("a", 0, input="1", output="3", error="no", duration_us=5_000)
    assert pairs([one], [two])[0].differs == ("output", "error", "time")


def test_a_little_slower_is_the_same() -> None:
    assert pairs([recorded("a", 0, duration_us=100)], [recorded("a", 0, duration_us=900)])[0].differs == ()
    long = [recorded("a", 0, duration_us=50_000)], [recorded("a", 0, duration_us=90_000)]
    assert pairs(*long)[0].differs == ()


def test_runs_without_steps_have_nothing_to_compare() -> None:
    assert pairs([], [{"dropped": 3}]) == []
