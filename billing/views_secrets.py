"""Settings page of secrets: names and hosts, never a value."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from billing import changes
from billing import secrets as store
from billing.door import Asked
from billing.errors import ApiError
from billing.forms import SecretForm
from billing.pages import page


@sensitive_post_parameters("value")
@require_http_methods(["GET", "HEAD", "POST"])
@page("admin", back="billing:secrets")
def secrets(request: Asked) -> HttpResponse:
    form = SecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            changes.put_secret(request, given["name"], given["value"], given["hosts"])
        except ApiError as refused:  # beside the form, which keeps the name and the hosts
            form.add_error(None, refused.detail)
        else:
            messages.success(request, f"{given['name']} is kept.")
            return redirect("billing:secrets")
    if form.is_bound:  # what was typed as the value is not sent back
        form = blank(form)
    shown = {"tab": "secrets", "secrets": store.names(request.who.tenant_id), "form": form}
    return render(request, "billing/secrets.html", shown, status=422 if form.errors else 200)


def blank(form: SecretForm) -> SecretForm:
    form.data = {**form.data.dict(), "value": ""}  # type: ignore[attr-defined]
    return form


@require_POST
@page("admin", back="billing:secrets")
def delete(request: Asked) -> HttpResponse:
    changes.delete_secret(request, request.POST.get("name", ""))
    messages.success(request, "The secret is gone.")
    return redirect("billing:secrets")
