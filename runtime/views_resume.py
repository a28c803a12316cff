"""The approval page of a run that waits: whoever has its address decides."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from redis.exceptions import RedisError

from billing.errors import ApiError
from bundles.models import Flow
from runtime import flowstore
from runtime import resume as waits
from runtime.ask import body
from runtime.models import Execution

MAX_BODY = 256 * 1024


@csrf_exempt  # no cookie counts here, the token in the address does
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, flow_id: UUID, execution: UUID, token: str) -> HttpResponse:
    """GET shows what waits, POST ends the wait with its body; a form's answer is a page, a program's is JSON."""
    person = request.method != "POST" or is_form(request)
    try:
        flow, node = waits.waiting(flow_id, execution, token)
        if request.method != "POST":
            said = description(flow, node)
            return shown(request, {"flow": flow, "node": node, "about": about(execution), "said": said})
        payload = decided(request) if person else sent(request)
        waits.resume(flow, execution, token, payload)
    except ApiError as refused:
        return refusal(request, refused, person=person)
    except RedisError:
        return refusal(request, ApiError(503, "Try again in a moment."), person=person)
    if person:
        return shown(request, {"flow": flow, "node": node, "decision": payload})
    return JsonResponse({"execution": str(execution)}, status=202)


def about(execution: UUID) -> Any:
    """What the run was started with: whoever decides has to know about what."""
    text = Execution.objects.filter(pk=execution).values_list("input", flat=True).first()
    try:
        sent = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None
    return sent.get("body") if isinstance(sent, dict) else None


def description(flow: Flow, node: str) -> str:
    model = flowstore.model(flow)
    listener = model.listener(node) if model else None
    return listener.description if listener else ""


def is_form(request: HttpRequest) -> bool:
    return (request.content_type or "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    )


def decided(request: HttpRequest) -> dict[str, Any]:
    """What the flow gets from the page; 422 when neither button was pressed."""
    choice = request.POST.get("decision", "")
    if choice not in ("approve", "reject"):
        raise ApiError(422, "Approve or reject.")
    return {"approved": choice == "approve", "comment": request.POST.get("comment", "")[:4000]}


def sent(request: HttpRequest) -> Any:
    """What the flow gets from a program: its body as a webhook would have it."""
    if len(request.body) > MAX_BODY:
        raise ApiError(413, f"The body may have {MAX_BODY} bytes.")
    headers = {"content-type": request.headers.get("content-type", "")}
    return body(request.body, headers, limit=MAX_BODY)


def shown(request: HttpRequest, known: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, "runtime/resume.html", known, status=status)
    response["Referrer-Policy"] = "no-referrer"  # the address is the proof
    return response


def refusal(request: HttpRequest, refused: ApiError, *, person: bool) -> HttpResponse:
    if person:
        return shown(request, {"refused": refused}, refused.status)
    return JsonResponse(refused.body(), status=refused.status, content_type="application/problem+json")
