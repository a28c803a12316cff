"""A fresh shop for every test."""

import pytest

from tests.examples.mini_host import Host


@pytest.fixture
def host() -> Host:
    return Host()
