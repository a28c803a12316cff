"""Forms of the account pages."""

import json
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils import timezone

from billing import credits
from billing.access import OF_ROLE
from billing.keys import SCOPES
from billing.models import Tenant, User
from billing.tenants import found

NAME_HELP = "The first part of your APIs' address: a–z, 0–9 and hyphens."


class FoundForm(forms.Form):
    """The name of a new tenant."""

    tenant = forms.CharField(label="Tenant name", help_text=NAME_HELP, min_length=2, max_length=39)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].widget.attrs.update({"autocapitalize": "none", "autocomplete": "organization"})

    def clean_tenant(self) -> str:
        slug: str = self.cleaned_data["tenant"].strip()
        if slug:
            Tenant._meta.get_field("slug").run_validators(slug)
            if Tenant.objects.filter(slug=slug).exists():
                raise forms.ValidationError(f"“{slug}” is taken.")
        return slug


class SignupForm(FoundForm):
    """What sign-up asks beside e-mail and password; who was invited needs no tenant of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].required = False
        self.fields["tenant"].help_text = NAME_HELP + " Leave it empty if you were invited to one."

    def signup(self, request: HttpRequest, user: User) -> None:
        slug = self.cleaned_data["tenant"]
        if not slug:
            return
        try:
            found(slug, user)
        except (
            IntegrityError
        ):  # somebody took it since the form was checked; another can be chosen at any time
            messages.warning(request, f"“{slug}” was taken a moment ago; choose another name.")


class KeyForm(forms.Form):
    LIVES = (("", "never"), ("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"))

    name = forms.CharField(max_length=100, help_text="What will use it, such as “shop website”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(SCOPES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope."},
    )
    expires = forms.ChoiceField(choices=LIVES, required=False)

    def end(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class SecretForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="By this name bundles ask for it, such as STRIPE_KEY.")
    value = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        strip=False,
        help_text="Kept encrypted. Nobody can read it here again.",
    )
    hosts = forms.CharField(
        required=False,
        help_text="It is sent to these hosts only, such as “api.stripe.com, *.example.com”. None: to nobody.",
    )

    def clean_hosts(self) -> list[str]:
        return str(self.cleaned_data["hosts"]).replace(",", " ").split()


class VariableForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Flows read it as “vars.NAME”.")
    value = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Text, or any JSON: 25, true, [1, 2], {…}. Text that looks like JSON stands in quotes.",
    )

    def clean_value(self) -> Any:
        text = str(self.cleaned_data["value"])
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


class ThresholdForm(forms.Form):
    low_at = forms.IntegerField(label="Tell below", min_value=0, max_value=credits.MOST, help_text="Credits.")


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address")
    role = forms.ChoiceField(choices=[(role, role) for role in OF_ROLE], initial="editor")


class RenameForm(forms.Form):
    name = forms.CharField(max_length=100, required=False, help_text="Shown to people beside the slug.")
