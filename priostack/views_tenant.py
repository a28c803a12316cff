"""Pages with which an owner takes a tenant's data away, or deletes it all."""

import tempfile

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from billing.audit import address, record
from billing.door import Asked
from billing.pages import page
from billing.throttle import demand
from priostack.export import export
from priostack.goodbye import say_goodbye


@require_POST
@page("owner", back="billing:tenant")
def tenant_export(request: Asked) -> FileResponse:
    who = request.who
    demand(f"export:{who.tenant_id}", 10, 3600)
    record(request, "tenant.export", who.tenant)
    out = tempfile.TemporaryFile()  # noqa: SIM115  closed by the response; without a name nobody else can open it
    export(who.tenant_id, out)
    out.seek(0)
    name = f"{who.tenant}-{timezone.now():%Y-%m-%d}.zip"
    return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")


@require_http_methods(["GET", "HEAD", "POST"])
@page("owner", back="billing:tenant")
def tenant_delete(request: Asked) -> HttpResponse:
    who, typed = request.who, request.POST.get("slug", "")
    if request.method == "POST" and typed.strip() == who.tenant:
        say_goodbye(who.tenant_id, by=who.actor, address=address(request))
        messages.success(request, f"The tenant {who.tenant} is deleted.")
        return redirect("billing:found")
    shown = {"tab": "tenant", "wrong": request.method == "POST", "typed": typed}
    return render(request, "billing/delete.html", shown, status=422 if shown["wrong"] else 200)
