"""What a tenant may be called (DECISIONS X30): its slug is the first segment of its API's address."""

import re

GRAMMAR = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SHORTEST, LONGEST = 2, 39
QUARANTINE_DAYS = 90  # a released slug rests, so that nobody inherits another's callers

RESERVED = frozenset(
    """
    about accounts admin api app apps assets auth billing blog bundles callback cdn community contact
    dashboard debug demo-reset docs download edge error favicon files flow flows forms graphql health
    healthz help hooks internal invite invites jobs legal library login logout mail market marketplace
    me media metrics modules new news null oauth openapi package packages ping plans pricing priostack
    privacy profile prompts public readyz register reservations robots root rounds runs schema search
    secrets security service services settings signin signup sitemap sso static status store stripe
    support system team teams tenant tenants terms test-hook token tools trigger triggers try-key undefined
    upload user users wallet webhook webhooks well-known ws www
    """.split()  # noqa: SIM905  a table to read
)


def refuse_slug(slug: str) -> str:
    """Why ``slug`` may not be a tenant's name, or an empty string when it may."""
    if not SHORTEST <= len(slug) <= LONGEST:
        return f"between {SHORTEST} and {LONGEST} characters"
    if not GRAMMAR.fullmatch(slug):
        return "only a–z, 0–9 and single hyphens inside"
    if slug in RESERVED:
        return "this name is reserved"
    return ""
