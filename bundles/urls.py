"""Pages of the bundles floor."""

from django.urls import URLPattern

app_name = "bundles"
urlpatterns: list[URLPattern] = []
