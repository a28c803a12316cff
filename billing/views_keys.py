"""Settings page of API keys."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from billing import changes
from billing.door import Asked
from billing.forms import KeyForm
from billing.models import ApiKey
from billing.pages import page
from billing.sheets import sheet


@require_http_methods(["GET", "HEAD", "POST"])
@page("admin", back="billing:keys")
def keys(request: Asked) -> HttpResponse:
    """The answer to a POST is the only place where the new token is ever seen."""
    form, token = KeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        _, token = changes.issue_key(request, given["name"], scopes=given["scopes"], expires=form.end())
        form = KeyForm()
    mine = ApiKey.objects.select_related("created_by").filter(tenant_id=request.who.tenant_id, console=False)
    keys = sheet(request, mine, "name", "prefix")
    shown = {"tab": "keys", "sheet": keys, "keys": keys.rows, "form": form, "token": token}
    return render(request, "billing/keys.html", shown, status=422 if form.errors else 200)


@require_POST
@page("admin", back="billing:keys")
def revoke(request: Asked, key_id: UUID) -> HttpResponse:
    changes.revoke_key(request, key_id)
    messages.success(request, "The key is revoked.")
    return redirect("billing:keys")
