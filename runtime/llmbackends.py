"""The backends of an `llm` section (organism.yaml): which models each serves, and how much of it may be used."""

import asyncio
import fnmatch
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bundles import duration
from runtime import llmanthropic, llmollama, llmopenai
from runtime.llmbreaker import FAULTS, REST_S, Breaker
from runtime.llmtypes import LlmError, Usage
from runtime.llmwire import Speech

TPM = 100_000
CONCURRENT = 20
TIMEOUT_S = 120.0
RETRIES = 3
BASE_DELAY_S = 1.0
MAX_DELAY_S = 60.0
REHEARSAL = "rehearsal"
REHEARSED_TPM = 100_000_000
ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "xai": "https://api.x.ai/v1",
    "anthropic": "https://api.anthropic.com/v1",
    "ollama": "http://localhost:11434",
    REHEARSAL: REHEARSAL,  # it has none, and nothing is sent
}
KEYS = {"openai": "OPENAI_API_KEY", "xai": "XAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
MODELS = {"openai": "gpt-5-mini", "xai": "grok-3-mini", "anthropic": "claude-haiku-4-5"}
REASONING = re.compile(r"o[0-9]")
NAMED = re.compile(r"\$\{\s*(?:secret\.)?([A-Za-z_][A-Za-z0-9_.-]{0,99})\s*\}")


@dataclass(frozen=True, slots=True)
class Backend:
    """One place where models are. Two of one provider are two: `number` tells them apart, not the name."""

    number: int
    provider: str
    name: str
    address: str
    key: str = ""  # the name of the secret
    model: str = ""
    models: tuple[str, ...] = ()
    priority: int = 1
    tpm: int = TPM
    concurrent: int = CONCURRENT
    timeout_s: float = TIMEOUT_S
    own_address: bool = False
    prices: tuple[float, float] | None = None  # of a million tokens, asked and answered

    @property
    def rehearses(self) -> bool:
        return self.provider == REHEARSAL

    @property
    def speech(self) -> Speech:
        if self.provider == "anthropic":
            return llmanthropic.SPEECH
        if self.provider == "ollama" and not self.address.endswith("/v1"):
            return llmollama.SPEECH
        return llmopenai.SPEECH

    def url(self, path: str) -> str:
        base = self.address
        if self.provider == "anthropic" and not base.endswith("/v1"):
            base += "/v1"
        return base + path

    def serves(self, model: str) -> bool:
        """By its own list, else by the provider that the model's name belongs to; Ollama may have everything."""
        if self.models:
            return any(fnmatch.fnmatchcase(model, pattern) for pattern in self.models)
        return not model or self.provider in ("ollama", REHEARSAL, provider_of(model))

    def cost(self, usage: Usage) -> float | None:
        """What that many tokens cost; None when nobody said so."""
        if self.rehearses:
            return 0.0
        if self.prices is None:
            return None
        return round((usage.input * self.prices[0] + usage.output * self.prices[1]) / 1e6, 9)

    def model_for(self, asked: str) -> str:
        plain = next((name for name in self.models if "*" not in name), "")
        found = asked or self.model or plain or MODELS.get(self.provider, "")
        if not found:
            raise LlmError(
                "validation", f"name a model: the backend “{self.name}” has none of its own", elsewhere=True
            )
        return found


@dataclass(slots=True, eq=False, weakref_slot=True)
class Load:
    """What is going on at one backend, in this process."""

    backend: Backend
    slots: asyncio.Semaphore
    tokens: float
    filled: float = field(default_factory=time.monotonic)
    busy: int = 0
    resting_until: float = 0.0
    breaker: Breaker = field(default_factory=Breaker)

    @classmethod
    def of(cls, backend: Backend, breaker: Breaker | None = None) -> "Load":
        slots = asyncio.Semaphore(backend.concurrent)
        return cls(backend, slots, backend.tpm, breaker=breaker or Breaker())

    def take(self, wanted: int) -> float:
        """Take tokens from the bucket, or tell how long to wait until they are there."""
        rate = self.backend.tpm / 60
        now = time.monotonic()
        self.tokens = min(self.backend.tpm, self.tokens + (now - self.filled) * rate)
        self.filled = now
        need = min(wanted, self.backend.tpm)  # a question larger than the bucket waits for a full one
        if self.tokens >= need:
            self.tokens -= wanted
            return 0.0
        return (need - self.tokens) / rate

    @property
    def share(self) -> float:
        return self.busy / self.backend.concurrent


@dataclass(slots=True)
class Section:
    """An `llm` section with the state of its backends: shared by all its requests in this process."""

    strategy: str
    retries: int
    base_s: float
    max_s: float
    loads: tuple[Load, ...]
    turn: int = 0
    usual: bool = False  # nobody wrote it down: it has the providers whose usual secret is there

    def order(self, model: str) -> list[Load]:
        """The backends for a model in the order in which they are to be asked; who was told to wait comes last."""
        mine = self.candidates(model)
        if self.strategy == "round-robin" and mine:
            self.turn += 1
            start = (self.turn - 1) % len(mine)
            mine = mine[start:] + mine[:start]
        elif self.strategy == "least-loaded":
            mine.sort(key=lambda load: (load.share, load.backend.priority))
        else:
            mine.sort(key=lambda load: load.backend.priority)
        now = time.monotonic()
        return sorted(mine, key=lambda load: max(0.0, load.resting_until - now))

    def candidates(self, model: str) -> list[Load]:
        """Those that serve it; if none does, servers at an address of their own, whose models we cannot know."""
        found = [load for load in self.loads if load.backend.serves(model)]
        return found or [load for load in self.loads if load.backend.own_address and not load.backend.models]


def provider_of(model: str) -> str:
    """The provider that a model's name belongs to; empty when it belongs to none."""
    name = model.lower()
    if name.startswith("grok"):
        return "xai"
    if "claude" in name or "anthropic" in name:
        return "anthropic"
    return "openai" if "gpt" in name or REASONING.search(name) else ""


def section(
    settings: Mapping[str, Any], variables: Mapping[str, Any], secrets: Iterable[str] = ()
) -> Section:
    """Read an `llm` section; without backends every provider whose usual secret is there."""
    written = [one for one in settings.get("backends") or () if isinstance(one, Mapping)]
    usual = not written
    if usual:
        written = [
            {"provider": name, "api_key_env": key} for name, key in KEYS.items() if key in set(secrets)
        ]
    backends = [backend(number, one, variables) for number, one in enumerate(written)]
    strategy = str(settings.get("strategy") or "failover")
    return Section(
        strategy,
        int(number(settings, "retries", RETRIES)),
        number(settings, "retry_base_delay", BASE_DELAY_S),
        number(settings, "retry_max_delay", MAX_DELAY_S),
        tuple(Load.of(one, breaker(settings)) for one in backends),
        usual=usual,
    )


def most_tokens(provider: str) -> int:
    return REHEARSED_TPM if provider == REHEARSAL else TPM


def breaker(settings: Mapping[str, Any]) -> Breaker:
    """One for each backend."""
    return Breaker(int(number(settings, "breaker_faults", FAULTS)), number(settings, "breaker_rest", REST_S))


def backend(place: int, written: Mapping[str, Any], variables: Mapping[str, Any]) -> Backend:
    provider = str(written.get("provider") or "").lower()
    base = filled(str(written.get("base_url") or ""), variables).rstrip("/")
    address = base or ADDRESSES.get(provider, "")
    name = str(written.get("name") or provider)
    if not address:
        raise LlmError("validation", f"the backend “{name}” needs a base_url: its provider is not known")
    return Backend(
        place,
        provider,
        name,
        address,
        key_name(written, provider, own=bool(base)),
        model=str(written.get("model") or ""),
        models=tuple(str(one) for one in written.get("supported_models") or ()),
        priority=int(number(written, "priority", 1)),
        tpm=max(1, int(number(written, "rate_limit_tpm", most_tokens(provider)))),
        concurrent=max(1, int(number(written, "max_concurrent", CONCURRENT))),
        timeout_s=seconds(written.get("timeout")),
        own_address=bool(base),
        prices=prices(written),
    )


def prices(written: Mapping[str, Any]) -> tuple[float, float] | None:
    if "input_price" not in written and "output_price" not in written:
        return None
    return number(written, "input_price", 0.0), number(written, "output_price", 0.0)


def key_name(written: Mapping[str, Any], provider: str, *, own: bool) -> str:
    """The name of the secret with the key. A key in the file itself is refused: whoever reads the file has it."""
    if written.get("api_key_env"):
        return str(written["api_key_env"])
    literal = str(written.get("api_key") or "")
    named = NAMED.fullmatch(literal)
    if literal and not named:
        raise LlmError(
            "validation",
            "a key does not belong in a file: keep it as a secret and write its name as api_key_env",
        )
    return named[1] if named else "" if own else KEYS.get(provider, "")


def filled(text: str, variables: Mapping[str, Any]) -> str:
    """`${vars.x}` in an address; empty when one of them is not there, so that the usual address is taken."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        missing = missing or not variables.get(found[1])
        return str(variables.get(found[1], ""))

    whole = re.sub(r"\$\{\s*vars\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}", value, text)
    return "" if missing else whole


def number(values: Mapping[str, Any], name: str, usual: float) -> float:
    found = values.get(name)
    return float(found) if isinstance(found, int | float) and found >= 0 else usual


def seconds(value: Any) -> float:
    if isinstance(value, int | float) and value > 0:
        return float(value)
    try:
        return duration.parse(str(value)) / 1000 if value else TIMEOUT_S
    except duration.DurationError:
        return TIMEOUT_S
