"""Rows that are written by a plain statement hold what the ORM would have written."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from runtime.insertion import utc_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite keeps moments as text")
@pytest.mark.parametrize("us", [0, 1, 999_999, 1_000_000, 1_795_303_484_641_127, 1_795_303_484_000_000])
def test_a_moment_is_kept_as_django_keeps_it(us: int) -> None:
    moment = EPOCH + timedelta(microseconds=us)
    assert utc_text(us) == connection.ops.adapt_datetimefield_value(moment)
