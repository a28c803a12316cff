"""What every route of the platform is for: read by tests/test_matrix.py, which fails for a route that is not here.

Written by hand on purpose: a route that changes its permission must be changed here too, by somebody who means it.
"""

# REST: "METHOD path" -> the scope that is needed. No operation is for strangers.
REST = {
    "read": """
        GET /api/me
        GET /api/bundles
        GET /api/bundles/{bundle_id}
        GET /api/bundles/{bundle_id}/problems
        GET /api/bundles/{bundle_id}/files
        GET /api/bundles/{bundle_id}/files/{path:path}
        GET /api/bundles/{bundle_id}/revisions
        GET /api/bundles/{bundle_id}/diff
        GET /api/bundles/{bundle_id}/export
        GET /api/bundles/{uuidstr:id}/status
        GET /api/bundles/{uuidstr:id}/contracts
        GET /api/bundles/{uuidstr:id}/interceptors
        GET /api/bundles/{uuidstr:id}/logs
        GET /api/modules
        GET /api/modules/{module_id}
        GET /api/executions
        GET /api/executions/{uuidstr:id}
        GET /api/executions/{uuidstr:id}/logs
        GET /api/goals
        GET /api/vars
        GET /api/wallet
        GET /api/bundles/{uuidstr:id}/spend
        GET /api/wallet/entries
        GET /api/flows
        GET /api/flows/{uuidstr:id}
        GET /api/flows/{uuidstr:id}/status
        GET /api/flows/{uuidstr:id}/logs
        GET /api/flows/{uuidstr:id}/stats
        GET /api/flows/{uuidstr:id}/memory
        POST /api/market/simulate
        GET /api/market
        GET /api/market/rounds
        GET /api/market/settings
        POST /api/market/estimate
        GET /api/reservations
        POST /api/prompts/compile
        """,
    "call": """
        POST /api/bundles/{uuidstr:id}/sensors/{sensor}
        POST /api/bundles/{uuidstr:id}/tests
        POST /api/executions/{uuidstr:id}/retry
        POST /api/executions/{uuidstr:id}/cancel
        POST /api/executions/{uuidstr:id}/pause
        POST /api/executions/{uuidstr:id}/unpause
        POST /api/flows/{uuidstr:id}/runs/retry
        POST /api/flows/{uuidstr:id}/runs/cancel
        POST /api/triggers/{uuidstr:flow_id}/inject
        """,
    "write": """
        POST /api/bundles
        POST /api/bundles/upload
        POST /api/bundles/git
        POST /api/bundles/{bundle_id}/update
        PUT /api/bundles/{bundle_id}/hook
        DELETE /api/bundles/{bundle_id}/hook
        DELETE /api/bundles/{bundle_id}
        PUT /api/bundles/{bundle_id}/files/{path:path}
        DELETE /api/bundles/{bundle_id}/files/{path:path}
        POST /api/bundles/{bundle_id}/revert
        POST /api/modules
        DELETE /api/modules/{module_id}
        POST /api/bundles/{uuidstr:id}/run
        POST /api/bundles/{uuidstr:id}/stop
        PUT /api/vars/{name}
        DELETE /api/vars/{name}
        POST /api/flows
        PUT /api/flows/{uuidstr:id}
        DELETE /api/flows/{uuidstr:id}
        POST /api/flows/{uuidstr:id}/duplicate
        POST /api/flows/{uuidstr:id}/start
        POST /api/flows/{uuidstr:id}/stop
        DELETE /api/flows/{uuidstr:id}/memory
        DELETE /api/flows/{uuidstr:id}/memory/{path:key}
        PUT /api/triggers
        PUT /api/triggers/{uuidstr:flow_id}/{name}
        POST /api/reservations
        DELETE /api/reservations/{uuidstr:id}
        """,
    "admin": """
        GET /api/keys
        POST /api/keys
        DELETE /api/keys/{uuidstr:key_id}
        GET /api/secrets
        PUT /api/secrets/{name}
        DELETE /api/secrets/{name}
        GET /api/members
        PATCH /api/members/{int:member_id}
        DELETE /api/members/{int:member_id}
        GET /api/invitations
        POST /api/invitations
        DELETE /api/invitations/{int:invitation_id}
        GET /api/audit
        PUT /api/market/settings
        PUT /api/wallet
        PUT /api/bundles/{uuidstr:id}/spend
        """,
}
OPERATIONS = {line.strip(): scope for scope, table in REST.items() for line in table.strip().splitlines()}

# Pages: path -> (scope to GET it, scope to POST to it). "-" is 405 for everybody; "public" is for strangers too;
# "self" is for whoever is signed in and touches nothing of anybody else's; "signed" proves itself by a signature,
# "token" by a part of its address.
PAGES = {
    "/": ("public", "public"),
    "/dashboard": ("self", "-"),
    "/docs": ("public", "public"),
    "/docs/<slug:page>": ("public", "public"),
    "/healthz": ("public", "public"),
    "/readyz": ("public", "public"),
    "/metrics": ("public", "public"),  # with its own token: tests/runtime/test_metrics.py
    "/webhooks/git/<uuid:bundle_id>": ("-", "signed"),
    "/api/triggers/<uuid:flow_id>/resume/<uuid:execution>/<str:token>": ("token", "token"),
    "/invite/<str:token>": ("self", "self"),
    "/settings": ("self", "-"),
    "/settings/sign-out-everywhere": ("-", "self"),
    "/settings/found": ("self", "self"),
    "/settings/switch": ("-", "self"),
    "/settings/members/leave": ("-", "self"),
    "/settings/tenant": ("read", "admin"),
    "/settings/tenant/export": ("-", "owner"),
    "/settings/tenant/delete": ("owner", "owner"),
    "/settings/members": ("admin", "admin"),
    "/settings/members/<int:member_id>/role": ("-", "admin"),
    "/settings/members/<int:member_id>/remove": ("-", "admin"),
    "/settings/invitations/<int:invitation_id>/withdraw": ("-", "admin"),
    "/settings/keys": ("admin", "admin"),
    "/settings/keys/<uuid:key_id>/revoke": ("-", "admin"),
    "/settings/secrets": ("admin", "admin"),
    "/settings/secrets/delete": ("-", "admin"),
    "/settings/variables": ("read", "write"),
    "/settings/variables/delete": ("-", "write"),
    "/settings/audit": ("admin", "-"),
    "/wallet": ("read", "admin"),
    "/wallet/entries.csv": ("read", "-"),
    "/wallet/low": ("read", "-"),
    "/market": ("read", "-"),
    "/market/live": ("read", "-"),
    "/market/bidding": ("-", "admin"),
    "/market/cost": ("read", "-"),
    "/market/tiles": ("read", "-"),
    "/market/reserve": ("write", "write"),
    "/market/reservations/<uuid:id>/cancel": ("-", "write"),
    "/bundles": ("read", "-"),
    "/bundles/import/zip": ("-", "write"),
    "/bundles/import/git": ("-", "write"),
    "/bundles/import/example": ("-", "write"),
    "/bundles/import/<uuid:job_id>": ("read", "-"),
    "/bundles/<uuid:bundle_id>": ("read", "-"),
    "/bundles/<uuid:bundle_id>/contracts": ("read", "-"),
    "/bundles/<uuid:bundle_id>/problems": ("read", "-"),
    "/bundles/<uuid:bundle_id>/declared-tests": ("read", "-"),
    "/bundles/<uuid:bundle_id>/settings": ("read", "-"),
    "/bundles/<uuid:bundle_id>/settings/update": ("-", "write"),
    "/bundles/<uuid:bundle_id>/settings/hook": ("-", "write"),
    "/bundles/<uuid:bundle_id>/settings/delete": ("-", "write"),
    "/bundles/<uuid:bundle_id>/files": ("read", "-"),
    "/bundles/<uuid:bundle_id>/new-file": ("self", "-"),  # only leads to the page of that file
    "/bundles/<uuid:bundle_id>/add-file": ("-", "write"),
    "/bundles/<uuid:bundle_id>/files/<path:path>": ("read", "write"),
    "/bundles/<uuid:bundle_id>/download/<path:path>": ("read", "-"),
    "/bundles/<uuid:bundle_id>/delete-file/<path:path>": ("-", "write"),
    "/bundles/<uuid:bundle_id>/revisions": ("read", "-"),
    "/bundles/<uuid:bundle_id>/revisions/<int:number>": ("read", "-"),
    "/bundles/<uuid:bundle_id>/revisions/<int:number>/revert": ("-", "write"),
    "/bundles/<uuid:bundle_id>/export": ("read", "-"),
    "/modules": ("read", "write"),
    "/modules/<uuid:module_id>/delete": ("-", "write"),
    "/modules/<uuid:module_id>/retry": ("-", "write"),
    "/runs": ("read", "-"),
    "/runs/<uuid:id>": ("read", "-"),
    "/runs/<uuid:id>/retry": ("-", "call"),
    "/runs/<uuid:id>/resume": ("-", "call"),
    "/runs/<uuid:id>/cancel": ("-", "call"),
    "/runs/<uuid:id>/pause": ("-", "call"),
    "/bundles/<uuid:id>/spend": ("read", "admin"),
    "/bundles/<uuid:id>/log": ("read", "read"),
    "/bundles/<uuid:id>/goals": ("read", "read"),
    "/bundles/<uuid:id>/performance": ("read", "-"),
    "/bundles/<uuid:id>/interceptors": ("read", "-"),
    "/bundles/<uuid:id>/state": ("read", "-"),
    "/bundles/<uuid:id>/run": ("-", "write"),
    "/bundles/<uuid:id>/stop": ("-", "write"),
    "/bundles/<uuid:id>/fire": ("read", "call"),
    "/bundles/<uuid:id>/fire/<str:sensor>": ("read", "call"),
    "/bundles/<uuid:id>/prompts": ("read", "-"),
    "/bundles/<uuid:id>/prompts/<str:prompt>": ("read", "-"),
    "/bundles/<uuid:id>/try/<str:service>/<str:endpoint>": ("read", "-"),
    "/bundles/<uuid:id>/tests": ("read", "call"),
    "/bundles/api": ("read", "-"),
    "/bundles/try-key": ("-", "call"),
    "/flows": ("read", "-"),
    "/flows/new": ("write", "write"),
    "/flow/<uuid:id>": ("read", "-"),
    "/flow/<uuid:id>/yaml": ("read", "-"),
    "/flow/<uuid:id>/runs": ("read", "-"),
    "/flow/<uuid:id>/runs/many": ("-", "read"),
    "/flow/<uuid:id>/runs/compare": ("read", "-"),
    "/flow/<uuid:id>/triggers": ("read", "write"),
    "/flow/<uuid:id>/memory": ("read", "write"),
    "/flow/<uuid:id>/settings": ("read", "write"),
    "/flow/<uuid:id>/start": ("-", "write"),
    "/flow/<uuid:id>/stop": ("-", "write"),
    "/flow/<uuid:id>/star": ("-", "read"),
    "/flow/<uuid:id>/duplicate": ("-", "write"),
    "/flow/<uuid:id>/delete": ("-", "write"),
}

# Websockets: path -> the scope that is needed.
SOCKETS = {
    "ws/bundles/<uuid:id>/logs": "read",
    "ws/executions/<uuid:id>": "read",
    "ws/market": "read",
    "ws/prompts/<str:id>": "call",
}

# Admins may do this, but not to an owner, who is the object that the matrix tries it on: tests/billing/test_team.py.
OWNERS_ONLY = {"DELETE /api/members/{int:member_id}", "/settings/members/<int:member_id>/remove"}

# Their work reads the database by connections of its own, which cannot see a test's open transaction: what those
# may do who may is in tests/runtime.
ELSEWHERE = {"POST /api/bundles/{uuidstr:id}/tests", "/bundles/<uuid:id>/tests"}
