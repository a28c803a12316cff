"""Real calls of a tenant's running bundle while the market is crowded: they wait in the queue like others."""

import http.client
import threading
from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from billing import keys
from billing.models import ApiKey, Tenant
from bundles.definitions import definition
from bundles.models import Bundle, Status
from bundles.store import newest

KEY = "market demo"
AT_ONCE = 3
PATIENCE_S = 40


def path_of(tenant: Tenant) -> str | None:
    """An endpoint of a running bundle that needs nothing but a GET."""
    for bundle in Bundle.objects.filter(tenant=tenant, status=Status.RUNNING).order_by("name"):
        for service in definition(newest(bundle)).services:
            for endpoint in service.endpoints:
                if endpoint.method == "GET" and ":" not in endpoint.path + service.base_path:
                    return f"/{tenant.slug}{service.base_path}{endpoint.path}"
    return None


class Callers:
    """Threads that call again and again until they are told to end."""

    def __init__(self, tenant: Tenant, path: str) -> None:
        self.path = path
        end = timezone.now() + timedelta(hours=2)
        self._key, self._token = keys.create(tenant, KEY, scopes=("call",), expires=end)
        self._ending = threading.Event()
        self.statuses: Counter[int] = Counter()

    def start(self) -> None:
        for _ in range(AT_ONCE):
            threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._ending.set()
        ApiKey.objects.filter(pk=self._key.pk).delete()

    def _run(self) -> None:
        while not self._ending.is_set():
            status = self._call()
            if not self._ending.is_set():
                self.statuses[status] += 1
                self._ending.wait(0.3 if status == 200 else 1.0)

    def _call(self) -> int:
        """0 when nobody answered."""
        where = urlsplit(settings.BASE_URL)
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        connection = kind(where.hostname or "127.0.0.1", where.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", self.path, headers={"Authorization": f"Bearer {self._token}"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
