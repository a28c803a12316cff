"""The admin of accounts: search, filters, columns; what must not change is read-only, secrets stay shut."""

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html

from billing import adminmoney, tiers, wallet
from billing.adminrows import Inline, ReadOnly, Rows
from billing.audit import address
from billing.models import (
    ApiKey,
    AuditEntry,
    ExecutionQuota,
    Invitation,
    Journal,
    Leg,
    Membership,
    Plan,
    ReleasedSlug,
    Secret,
    Tenant,
    User,
    Variable,
    Wallet,
)

# The same sign-in as everywhere: throttled, with the second factor of those who have one.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign,no-untyped-call]
admin.site.register(Wallet, adminmoney.WalletAdmin)
admin.site.register(Journal, adminmoney.JournalAdmin)
admin.site.register(Leg, adminmoney.LegAdmin)
admin.site.register(ExecutionQuota, adminmoney.QuotaAdmin)
admin.site.site_header = admin.site.site_title = "PrioStack"


if TYPE_CHECKING:  # generic in their stubs only
    People = UserAdmin[User]
    NewUser = AdminUserCreationForm[User]
else:
    People, NewUser = UserAdmin, AdminUserCreationForm


class AuthenticatorAdmin(ReadOnly):
    """To be taken from somebody who lost it; what it is made of is shown to nobody."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("mfa.delete_authenticator"))


admin.site.unregister(Authenticator)
admin.site.register(Authenticator, AuthenticatorAdmin)


class NewUserForm(NewUser):
    class Meta:
        model = User
        fields = ("email",)


class MembershipInline(Inline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "tenant")


@admin.register(User)
class PeopleAdmin(People):
    add_form = NewUserForm
    list_display = ("email", "is_active", "is_staff", "last_tenant", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    list_select_related = ("last_tenant",)
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined", "password_link")
    autocomplete_fields = ("last_tenant",)
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("email", "password_link")}),
        ("Person", {"fields": ("first_name", "last_name", "last_tenant")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(description="Password")
    def password_link(self, person: User) -> str:
        """No hash, not even parts of one."""
        known = "is set" if person.has_usable_password() else "is not set"
        return format_html('{} · <a href="../password/">Set another</a>', known)


@admin.register(Tenant)
class TenantAdmin(Rows):
    list_display = ("slug", "name", "plan", "created", "version")
    list_filter = ("plan", "created")
    list_select_related = ("plan",)
    search_fields = ("slug", "name", "memberships__user__email")
    readonly_fields = ("id", "version", "created")
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # `manage.py tenant_delete` also removes what is not in the database

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        """A plan is changed by its verb, which stops what exceeds it and tells the owners."""
        plan = obj.plan
        if change:
            obj.plan = Tenant.objects.select_related("plan").get(pk=obj.pk).plan
        super().save_model(request, obj, form, change)
        if not change:
            wallet.open_for(obj)
        stopped = tiers.change(obj.pk, plan, actor=str(request.user), address=address(request))
        for line in stopped:
            self.message_user(request, line, messages.WARNING)


@admin.register(Membership)
class MembershipAdmin(Rows):
    list_display = ("user", "tenant", "role", "created")
    list_filter = ("role", "created")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__slug")
    autocomplete_fields = ("user", "tenant")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ("email", "tenant", "role", "created", "expires")
    list_filter = ("role", "created")
    list_select_related = ("tenant",)
    search_fields = ("email", "tenant__slug")
    exclude = ("digest",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True


@admin.register(Plan)
class PlanAdmin(Rows):
    list_display = (
        "name",
        "slug",
        "flows",
        "executions",
        "modules",
        "memory_mb",
        "members",
        "keep_alive",
        "starter_credits",
        "order",
    )
    list_filter = ("members",)
    search_fields = ("slug", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> Any:
        return ("slug",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        count = tiers.apply_all(obj) if change else 0
        if count:
            self.message_user(request, f"Something of {count} tenants exceeds it now.", messages.WARNING)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    """To be found and revoked; a new one is made by its tenant, who alone sees it."""

    list_display = ("name", "prefix", "tenant", "scopes", "created_by", "created", "expires", "last_used")
    list_filter = ("console", "created", "last_used")
    list_select_related = ("tenant", "created_by")
    search_fields = ("name", "prefix", "tenant__slug", "created_by__email")
    date_hierarchy = "created"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True


@admin.register(Secret)
class SecretAdmin(ReadOnly):
    list_display = ("name", "tenant", "hosts", "updated")
    list_filter = ("updated",)
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__slug")
    fields = ("name", "tenant", "hosts", "updated")


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly):
    list_display = ("at", "actor", "action", "target", "tenant", "address")
    list_filter = ("action", "at")
    list_select_related = ("tenant",)
    search_fields = ("actor", "action", "target", "tenant__slug", "address")
    date_hierarchy = "at"


@admin.register(ReleasedSlug)
class ReleasedSlugAdmin(Rows):
    list_display = ("slug", "until")
    list_filter = ("until",)
    search_fields = ("slug",)


@admin.register(Variable)
class VariableAdmin(ReadOnly):
    list_display = ("name", "tenant", "updated")
    list_filter = ("updated",)
    list_select_related = ("tenant",)
    search_fields = ("name", "tenant__slug")
