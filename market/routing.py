"""Addresses of the market's websockets."""

from django.urls import URLPattern, path

from market.sockets import market

# A plain ASGI application: channels' router takes it where Django's types expect a view.
websockets: list[URLPattern] = [path("ws/market", market)]  # type: ignore[arg-type]
