"""Pages of the market floor."""

from django.urls import URLPattern

app_name = "market"
urlpatterns: list[URLPattern] = []
