"""The admin: every table can be searched, the audit log cannot be changed, and no secret bytes anywhere."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing import secrets
from billing.audit import write
from billing.models import AuditEntry, Secret, Tenant, User

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("billing").get_models())
CANARY = b"canary-5120"


@pytest.fixture
def root(alice):
    secrets.put(alice.tenant, "STRIPE", CANARY, ["api.stripe.com"])
    write(None, "key.create", "x")
    client = Client()
    user = User.objects.create_superuser("root@example.org", "pw")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_is_there_with_columns_filters_and_search(root, model):
    ours = admin.site._registry[model]
    assert ours.search_fields
    assert ours.list_filter
    assert len(ours.list_display) > 1
    assert root.get(page(model, "changelist"), {"q": "alice"}).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_can_be_looked_at_and_shows_no_sealed_bytes_or_hash(root, alice, model):
    row = model.objects.first()
    if row is None:
        pytest.skip("no row of this kind in the cast")
    text = root.get(page(model, "change", row.pk)).content.decode()
    assert CANARY.decode() not in text
    assert bytes(Secret.objects.get().sealed).hex() not in text
    assert alice.key.digest not in text


def test_the_audit_log_and_secrets_cannot_be_changed(root):
    for model in (AuditEntry, Secret):
        row = model.objects.first()
        assert root.post(page(model, "change", row.pk), {"actor": "me", "name": "X"}).status_code == 403
        assert root.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert root.get(page(model, "add")).status_code == 403
    assert AuditEntry.objects.get().actor == "anonymous"
    assert Secret.objects.get().name == "STRIPE"


def test_a_person_is_added_by_e_mail_and_no_tenant_is_deleted_here(root, alice):
    body = {"email": "new@example.org", "password1": "another horse 77", "password2": "another horse 77"}
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0", "usable_password": "true"}
    assert root.post(page(User, "add"), {**body, **inline}).status_code == 302
    assert User.objects.get(email="new@example.org").check_password("another horse 77")
    assert root.post(page(Tenant, "delete", alice.tenant.pk), {"post": "yes"}).status_code == 403


def test_the_admin_is_closed_to_people_and_signs_in_where_everybody_does(alice):
    assert alice.client.get("/admin/").status_code in {302, 403}
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
