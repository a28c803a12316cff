"""Identifiers are unique, sortable by time, and not repeated by a forked child."""

import os
import time
import uuid

from billing.ids import uuid7, uuid7_text


def test_they_are_version_7_and_unique_over_many_blocks():
    made = {uuid7_text() for _ in range(5_000)}
    assert len(made) == 5_000
    assert {uuid.UUID(text).version for text in made} == {7}


def test_they_sort_by_the_time_they_were_made():
    first = uuid7()
    time.sleep(0.002)
    assert first < uuid7()


def test_a_forked_child_makes_others_than_its_parent():
    uuid7_text()  # a block is loaded, which the child inherits
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, uuid7_text()[-17:].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 17).decode() != uuid7_text()[-17:]
