"""What is deleted while somebody is at work on it is absent to them, whatever they were doing: never a 500."""

from typing import Any

import pytest
from django.db import connection

from bundles.models import Bundle, Flow
from tests.conftest import Person
from tests.priostack.routes import Operation, address, belongings, operations, pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


class Deletes:
    """Another request's DELETE, which comes right after this one has found the bundle, or the flow."""

    found = done = False

    def __init__(self, model: type[Bundle] | type[Flow] = Bundle) -> None:
        self.model, self.read = model, f'FROM "{model._meta.db_table}"'

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self.found and not self.done:
            self.done = True
            self.model._default_manager.all().delete()
        self.found = self.found or (sql.startswith("SELECT") and self.read in sql)
        return execute(sql, params, many, context)


def below(*paths: str) -> list[Operation]:
    return [one for one in operations() if one.path.startswith(paths)]


@pytest.mark.parametrize("operation", below("/api/bundles/{"), ids=str)
def test_an_operation_on_a_bundle_that_goes_meanwhile(alice: Person, operation: Operation) -> None:
    path, deletes = address(operation.path, belongings(alice)), Deletes()
    body = {"revision": 1} if operation.path.endswith("revert") else {}
    if operation.path.endswith("spend"):
        body = {"monthly_credits": 1, "strangers_monthly": 1}
    with connection.execute_wrapper(deletes):
        answer = alice.client.generic(
            operation.method,
            f"{path}?from=1",
            str(body).replace("'", '"'),
            content_type="application/json",
            headers={"if-match": '"1"'},
        )
    assert answer.status_code < 500, (operation.path, answer.status_code)


@pytest.mark.django_db(transaction=True)  # what points at nothing is found when it is committed
@pytest.mark.parametrize("operation", below("/api/flows/{", "/api/triggers/{"), ids=str)
def test_an_operation_on_a_flow_that_goes_meanwhile(alice: Person, operation: Operation) -> None:
    path, deletes = address(operation.path, belongings(alice)), Deletes(Flow)
    body = (
        '{"name": "other", "organism_yaml": "organism: {name: other}"}' if operation.method == "PUT" else "{}"
    )
    if "triggers" in path:
        body = '{"enabled": false}' if operation.method == "PUT" else '{"payload": 1}'
    with connection.execute_wrapper(deletes):
        answer = alice.client.generic(
            operation.method, path, body, content_type="application/json", headers={"if-match": '"1"'}
        )
    assert answer.status_code < 500, (operation.path, answer.status_code)


@pytest.mark.parametrize("page", [page for page in pages() if page.startswith("/bundles/<")])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_of_a_bundle_that_goes_meanwhile(alice: Person, page: str, method: str) -> None:
    path, deletes = address(page, belongings(alice)), Deletes()
    alice.client.raise_request_exception = False
    with connection.execute_wrapper(deletes):
        answer = getattr(alice.client, method)(path, {"revision": 1, "base": 1, "text": "x", "message": "m"})
    assert answer.status_code < 500, (page, answer.status_code)
