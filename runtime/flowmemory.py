"""The memory of a flow over its runs: a key of Redis for each value, limited in size, for flows that ask for it."""

from functools import cache
from typing import Any

from redis.commands.core import AsyncScript

from billing.redis import aredis
from bundles.flow import Flow
from runtime.flowkeep import prefix
from runtime.flowneeds import Failure, Need
from runtime.job import Job

# Values are deleted on the flow's page without a word to the counters, so a memory that seems full is counted anew.
SET = """
local place, sizes, total = KEYS[1], KEYS[2], KEYS[3]
local name, value, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local mine = #name + #value
local function left()
  return tonumber(redis.call('GET', total) or '0') - tonumber(redis.call('HGET', sizes, name) or '0')
end
if left() + mine > limit then
  local sum = 0
  local known = redis.call('HGETALL', sizes)
  for at = 1, #known, 2 do
    if redis.call('EXISTS', ARGV[4] .. known[at]) == 1 then sum = sum + tonumber(known[at + 1])
    else redis.call('HDEL', sizes, known[at]) end
  end
  redis.call('SET', total, sum)
  if left() + mine > limit then return 0 end
end
redis.call('SET', total, left() + mine)
redis.call('HSET', sizes, name, mine)
redis.call('SET', place, value)
return 1
"""


def start(tenant_id: str, flow_id: str) -> str:
    return f"{prefix(tenant_id, flow_id)}memory:"


async def perform(need: Need, job: Job, flow: Flow) -> bytes | Failure:
    """get answers with the value or null; set and delete with the payload."""
    verb, key = need.options["verb"], need.options["key"]
    bundle = job.bundle
    flow_id = bundle.flow_ids.get(flow.name)
    if flow_id is None:
        return Failure("not-available", "this flow is not stored yet, so it has no memory")
    place = start(bundle.tenant_id, flow_id) + key
    if verb == "get":
        found: Any = await aredis().get(place)
        return b"null" if found is None else bytes(found)
    if verb == "delete":
        await aredis().unlink(place)
        return need.payload
    return await keep(need, bundle.tenant_id, flow_id, flow.memory)


async def keep(need: Need, tenant_id: str, flow_id: str, limit: int) -> bytes | Failure:
    above, values, key = prefix(tenant_id, flow_id), start(tenant_id, flow_id), need.options["key"]
    places = [values + key, f"{above}sizes", f"{above}size"]
    arguments = [key, need.options["value"], limit, values]
    if await setter()(keys=places, args=arguments, client=aredis()):
        return need.payload
    return Failure("budget", f"the memory of this flow is limited to {limit} bytes")


@cache
def setter() -> AsyncScript:
    import redis.asyncio

    # The script object only needs a client for its encoder; each call names the client of its own loop.
    return redis.asyncio.Redis().register_script(SET)
