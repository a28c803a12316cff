"""Pages of the billing floor."""

from django.urls import path

from billing import views, views_keys, views_members, views_secrets, views_variables, views_wallet

app_name = "billing"
urlpatterns = [
    path("settings", views.account, name="settings"),
    path("settings/sign-out-everywhere", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("settings/found", views.found_tenant, name="found"),
    path("settings/tenant", views.tenant, name="tenant"),
    path("settings/switch", views.switch, name="switch"),
    path("settings/members", views_members.members, name="members"),
    path("settings/members/leave", views_members.leave, name="leave"),
    path("settings/members/<int:member_id>/role", views_members.change, name="member_role"),
    path("settings/members/<int:member_id>/remove", views_members.remove, name="member_remove"),
    path("settings/invitations/<int:invitation_id>/withdraw", views_members.withdraw, name="withdraw"),
    path("settings/keys", views_keys.keys, name="keys"),
    path("settings/keys/<uuid:key_id>/revoke", views_keys.revoke, name="key_revoke"),
    path("settings/secrets", views_secrets.secrets, name="secrets"),
    path("settings/secrets/delete", views_secrets.delete, name="secret_delete"),
    path("settings/variables", views_variables.variables, name="variables"),
    path("settings/variables/delete", views_variables.delete, name="variable_delete"),
    path("settings/audit", views.audit, name="audit"),
    path("wallet", views_wallet.wallet, name="wallet"),
    path("wallet/entries.csv", views_wallet.entries_csv, name="wallet_csv"),
    path("wallet/low", views_wallet.low, name="low"),
    path("invite/<str:token>", views_members.invitation, name="invitation"),
]
