"""Settings page of variables: plain values that flows read as vars.NAME."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from billing import changes
from billing.door import Asked
from billing.errors import ApiError
from billing.forms import VariableForm
from billing.models import Variable
from billing.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@page("read", back="billing:settings")
def variables(request: Asked) -> HttpResponse:
    form = VariableForm(request.POST or None)
    if request.method == "POST":
        if not request.who.may("write"):
            raise ApiError(403)
        if form.is_valid() and kept(request, form):
            return redirect("billing:variables")
    shown = {"tab": "variables", "variables": listed(request), "form": form}
    return render(request, "billing/variables.html", shown, status=422 if form.errors else 200)


def kept(request: Asked, form: VariableForm) -> bool:
    given = form.cleaned_data
    try:
        changes.put_variable(request, given["name"], given["value"])
    except ApiError as refused:  # beside the form, which keeps what was typed
        form.add_error(None, refused.detail)
        return False
    messages.success(request, f"{given['name']} is kept.")
    return True


def listed(request: Asked) -> list[dict[str, Any]]:
    rows = Variable.objects.filter(tenant_id=request.who.tenant_id).order_by("name")
    return [{"name": row.name, "value": as_text(row.value), "updated": row.updated} for row in rows]


def as_text(value: Any) -> str:
    """As the form takes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@require_POST
@page("write", back="billing:variables")
def delete(request: Asked) -> HttpResponse:
    changes.delete_variable(request, request.POST.get("name", ""))
    messages.success(request, "The variable is gone.")
    return redirect("billing:variables")
