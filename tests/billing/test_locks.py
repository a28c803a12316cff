"""Whoever changes something of a tenant holds its row; what only refers to the tenant goes on meanwhile."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from billing import team, tiers
from billing.models import AuditEntry
from bundles import locks


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [locks.tenant, team.lock, tiers.locked])
def test_a_run_is_written_down_while_the_tenant_is_changed(alice: Any, lock: Callable[[Any], Any]) -> None:
    """Else a change that waits for a row of a schedule, which waits for the tenant, ends in a deadlock."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no locks of rows")
    failed: list[Exception] = []

    def write() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            AuditEntry.objects.create(tenant=alice.tenant, actor="clock", action="run")
        except Exception as problem:
            failed.append(problem)
        finally:
            connection.close()

    with transaction.atomic():
        lock(alice.tenant.pk)
        thread = Thread(target=write)
        thread.start()
        thread.join()
    assert failed == []
    assert AuditEntry.objects.filter(action="run").exists()
