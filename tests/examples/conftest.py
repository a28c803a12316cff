"""A fresh shop for every test."""

import pytest

from tests.examples.host import Host


@pytest.fixture
def host() -> Host:
    return Host()
