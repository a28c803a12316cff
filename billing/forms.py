"""Forms of the account pages."""

from typing import Any

from django import forms
from django.http import HttpRequest

from billing.models import Tenant, User
from billing.tenants import found


class SignupForm(forms.Form):
    """What sign-up asks beside e-mail and password: the name under which the APIs will answer."""

    tenant = forms.CharField(
        label="Tenant name",
        help_text="The first part of your APIs' address: a–z, 0–9 and hyphens.",
        min_length=2,
        max_length=39,
    )

    def clean_tenant(self) -> str:
        slug: str = self.cleaned_data["tenant"].strip()
        Tenant._meta.get_field("slug").run_validators(slug)
        if Tenant.objects.filter(slug=slug).exists():
            raise forms.ValidationError(f"“{slug}” is taken.")
        return slug

    def signup(self, request: HttpRequest, user: User) -> None:
        found(self.cleaned_data["tenant"], user)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].widget.attrs.update({"autocapitalize": "none", "autocomplete": "organization"})
