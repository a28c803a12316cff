"""The tables of the billing floor."""

from billing.models.audit import AuditEntry
from billing.models.key import ApiKey
from billing.models.ledger import Account, Journal, Leg
from billing.models.member import Invitation, Membership, Role
from billing.models.plan import Plan
from billing.models.quota import ExecutionQuota
from billing.models.secret import Secret
from billing.models.tenant import ReleasedSlug, Tenant
from billing.models.user import User
from billing.models.variable import Variable
from billing.models.wallet import Wallet

__all__ = [
    "Account",
    "ApiKey",
    "AuditEntry",
    "ExecutionQuota",
    "Invitation",
    "Journal",
    "Leg",
    "Membership",
    "Plan",
    "ReleasedSlug",
    "Role",
    "Secret",
    "Tenant",
    "User",
    "Variable",
    "Wallet",
]
