"""The language models of a flow: `llm`, and `llm_backends` of the older dialect, as one mapping."""

from typing import Any

from bundles import flowtexts, values
from bundles.fields import Field, Read, mapping, table
from bundles.flowfields import Reader
from bundles.values import Mapping, Node, shown

STRATEGIES = ("failover", "round-robin", "least-loaded")
PROVIDERS = ("openai", "anthropic", "xai", "ollama", "rehearsal")
LLM_FIELDS = table(
    Field("strategy", "string", "failover (usual), round-robin or least-loaded"),
    Field("retries", "integer", "Further tries of a request; 3", high=20),
    Field("retry_base_delay", "number", "Seconds before the first of them; 1", high=3_600),
    Field("retry_max_delay", "number", "Seconds at most between two of them; 60", high=3_600),
    Field(
        "breaker_faults",
        "integer",
        "Faults in a row after which a backend is left alone; 5; 0: never",
        high=1_000,
    ),
    Field("breaker_rest", "number", "Seconds for which it is; 30", high=3_600),
    Field("backends", "list", "The providers"),
)
BACKEND_FIELDS = table(
    Field(
        "provider",
        "string",
        "openai, anthropic, xai, ollama, rehearsal, or any name with a base_url",
        required=True,
    ),
    Field("name", "string", "Its name in this list; the provider's unless told"),
    Field("model", "string", "The model when a node names none"),
    Field("api_key_env", "string", "The name of the tenant's secret that holds the key"),
    Field("api_key", "string", "The key itself: readable to all who read the file, better api_key_env"),
    Field("base_url", "string", "Another server of the same kind; ${vars.x} may stand in it"),
    Field("priority", "integer", "Lower is asked first; 1"),
    Field("rate_limit_tpm", "integer", "Tokens a minute; 100000", low=1),
    Field("max_concurrent", "integer", "Requests at the same time; 20", low=1, high=1_000),
    Field("timeout", "any", "Seconds, or a duration; 120"),
    Field(
        "input_price", "number", "What a million tokens of questions cost, in any currency; for the history"
    ),
    Field("output_price", "number", "The same of answers"),
    Field("supported_models", "list", "The models it has; without it, those of the provider"),
)


def read(found: Read, reader: Reader) -> dict[str, Any]:
    """Checked, with usual spellings; the backends of both places in one list."""
    block = found.get("llm")
    llm = reader.read(block, LLM_FIELDS, of="llm") if block else None
    settings = {key: value for key, value in llm.values.items() if key != "backends"} if llm else {}
    if llm and settings.get("strategy", STRATEGIES[0]) not in STRATEGIES:
        meant = reader.report.meant(settings["strategy"], STRATEGIES)
        message = f"there is no strategy {shown(settings['strategy'])}{meant}"
        reader.report.warning(llm.at("strategy"), message, "failover is used")
        settings["strategy"] = STRATEGIES[0]
    written = [*(llm.items("backends") if llm else ()), *found.items("llm_backends")]
    backends = [backend for node in written if (backend := _backend(node, reader))]
    return settings | ({"backends": backends} if backends else {})


def _backend(node: Node, reader: Reader) -> dict[str, Any] | None:
    block = mapping(node, reader.report, of="a backend")
    if block is None:
        return None
    found = reader.read(block, BACKEND_FIELDS, of="a backend")
    provider = found.get("provider")
    if provider is None:
        return None
    if provider not in PROVIDERS and not found.get("base_url"):
        meant = reader.report.meant(provider, PROVIDERS)
        hint = "a provider of your own needs a base_url"
        reader.report.warning(found.at("provider"), f"unknown provider {shown(provider)}{meant}", hint)
    if found.get("api_key"):
        hint = "keep it as a secret of the tenant and write its name as api_key_env"
        reader.report.warning(found.at("api_key"), "whoever can read this file can read this key", hint)
    if "base_url" in found.values:
        flowtexts.value(
            block.entries.get("base_url", block.entries.get("baseUrl", node)), reader, what="base_url"
        )
    return {key: _plain(value) for key, value in found.values.items()}


def _plain(value: Any) -> Any:
    return values.plain(value) if isinstance(value, (Mapping, values.Sequence)) else value
