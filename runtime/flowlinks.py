"""The links that end waits: known before a run comes to its wait, so that it can send them to somebody."""

import base64
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from runtime.flowframe import Frame
    from runtime.flowplan import Node
    from runtime.flowpump import Pump
    from runtime.job import Job

SALT = "priostack.runtime.flowlinks"


def token(pump: "Pump", node: "Node", frame: "Frame") -> str:
    """What ends the next wait of this node in this frame; it is drawn from our own key, so nobody can work it out."""
    nth = (frame.asked or {}).get(node.name, 0)
    place = f"{pump.start.execution}\n{node.plan.name}\n{node.name}\n{frame.id}\n{nth}"
    return base64.urlsafe_b64encode(salted_hmac(SALT, place, algorithm="sha256").digest()[:24]).decode()


def taken(pump: "Pump", node: "Node", frame: "Frame") -> str:
    """The token of a wait that begins now."""
    found = token(pump, node, frame)
    asked = frame.asked = frame.asked or {}
    asked[node.name] = asked.get(node.name, 0) + 1
    return found


def start(flow_id: str, execution: str) -> str:
    """What stands before the token."""
    return f"{settings.BASE_URL}/api/triggers/{flow_id}/resume/{execution}/"


def start_of(job: "Job") -> str:
    """The same for a run; empty where its flow has no address."""
    flow_id = job.bundle.flow_ids.get(job.target.module)
    return start(flow_id, job.id) if flow_id and not job.level else ""


def links(pump: "Pump", node: "Node", frame: "Frame") -> dict[str, str]:
    """For each wait of the flow that ``node`` is of: where it will be ended."""
    before = pump.world.links
    return {one.name: before + token(pump, one, frame) for one in node.plan.waits} if before else {}
