"""What the frame around every page needs to know."""

from typing import Any

from django.http import HttpRequest

from billing.models import Membership


def shell(request: HttpRequest) -> dict[str, Any]:
    """``who`` is falsy for strangers; ``my_tenants`` feeds the switcher and is read only when shown."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"who": None, "my_tenants": []}
    mine = Membership.objects.select_related("tenant").filter(user_id=user.pk)
    return {"who": getattr(request, "who", None), "my_tenants": mine}
