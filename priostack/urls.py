"""Addresses of the platform; `/{tenant}/…` never reaches Django (see asgi.py)."""

from django.contrib import admin
from django.urls import include, path

from priostack import views, views_dashboard, views_tenant
from priostack.api import api

urlpatterns = [
    path("", views.landing, name="landing"),
    path("dashboard", views_dashboard.dashboard, name="dashboard"),
    path("docs", views.docs, name="docs"),
    path("docs/<slug:page>", views.docs, name="docs_page"),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("settings/tenant/export", views_tenant.tenant_export, name="tenant_export"),
    path("settings/tenant/delete", views_tenant.tenant_delete, name="tenant_delete"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("billing.urls")),
    path("", include("bundles.urls")),
    path("", include("market.urls")),
    path("", include("runtime.urls")),
]
handler400 = "priostack.views.bad_request"
handler403 = "priostack.views.forbidden"
handler404 = "priostack.views.not_found"
handler500 = "priostack.views.server_error"
