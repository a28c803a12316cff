"""Pages of the bundles floor, and the webhook of Git servers."""

from django.urls import path

from bundles import webhook

app_name = "bundles"
urlpatterns = [
    path("webhooks/git/<uuid:bundle_id>", webhook.git_hook, name="hook"),
]
