"""Addresses of the websockets."""

from django.urls import URLPattern

websockets: list[URLPattern] = []
