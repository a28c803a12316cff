"""The memory of a flow over its runs: a key of Redis for each value, limited in size, for flows that ask for it.

Every change is one script in Redis: compared, summed up and written with nothing of another run in between.
"""

from functools import cache
from typing import Any, NamedTuple

from redis.commands.core import AsyncScript

from billing.redis import aredis
from bundles.flow import Flow
from runtime.flowkeep import KEPT_S, changes_of, prefix
from runtime.flowneeds import Failure, Need
from runtime.job import Job

MOST_KEYS = 10_000

# Values are deleted on the flow's page without a word to the counters, so a memory that seems full is counted anew.
# What a step has done already, before its process was lost, is answered and not done again.
CHANGE = """
local place, sizes, total, done = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local verb, name, value, limit, values, step, kept = unpack(ARGV, 1, 7)
local expected, most = ARGV[8], tonumber(ARGV[9])
local members, own, of_all, flows = KEYS[5], ARGV[10], tonumber(ARGV[11]), ARGV[12]

if step ~= '' then
  local before = redis.call('HGET', done, step)
  if before then return {'done', before} end
end
local old = false
if verb == 'add' or expected ~= '' then old = redis.call('GET', place) end
if expected ~= '' and (old or 'null') ~= expected then return {'conflict', ''} end

local function finish(answer)
  if step ~= '' then
    redis.call('HSET', done, step, answer)
    redis.call('EXPIRE', done, kept)
  end
  return {'done', answer}
end

local function is_whole(text) return string.match(text, '^%-?%d+$') ~= nil end

local function sum()
  if not old or old == 'null' then return value end
  if is_whole(old) and is_whole(value) then
    -- 64 bits are more than a number of Lua holds
    if type(redis.pcall('INCRBY', place, value)) ~= 'number' then return nil end
    local found = redis.call('GET', place)
    redis.call('SET', place, old)
    return found
  end
  local one, two = tonumber(old), tonumber(value)
  if not one or not two then return nil end
  local found = one + two
  if found ~= found or found == math.huge or found == -math.huge then return nil end
  for digits = 15, 17 do
    local text = string.format('%.' .. digits .. 'g', found)
    if tonumber(text) == found then return text end
  end
end

local function size() return tonumber(redis.call('HGET', sizes, name) or '0') end
local function left() return tonumber(redis.call('GET', total) or '0') - size() end

if verb == 'delete' then
  redis.call('UNLINK', place)
  redis.call('SET', total, math.max(0, left()))
  redis.call('HDEL', sizes, name)
  return finish('')
end
if verb == 'add' then
  value = sum()
  if not value then return {'number', ''} end
end
local mine = #name + #value
local function is_full()
  return left() + mine > tonumber(limit) or (size() == 0 and redis.call('HLEN', sizes) >= most)
end
local function recount(values, sizes, total)
  local all = 0
  local known = redis.call('HGETALL', sizes)
  for at = 1, #known, 2 do
    if redis.call('EXISTS', values .. known[at]) == 1 then all = all + tonumber(known[at + 1])
    else redis.call('HDEL', sizes, known[at]) end
  end
  redis.call('SET', total, all)
end
if is_full() then
  recount(values, sizes, total)
  if is_full() then return {'full', ''} end
end
local function elsewhere(anew)
  local all = 0
  for _, flow in ipairs(redis.call('SMEMBERS', members)) do
    local above = flows .. flow .. ':'
    if flow ~= own and redis.call('EXISTS', above .. 'size') == 0 then redis.call('SREM', members, flow)
    elseif flow ~= own then
      if anew then recount(above .. 'memory:', above .. 'sizes', above .. 'size') end
      all = all + tonumber(redis.call('GET', above .. 'size'))
    end
  end
  return all
end
local function too_much(anew) return left() + mine + elsewhere(anew) > of_all end
if of_all >= 0 and too_much(false) then
  recount(values, sizes, total)
  if too_much(true) then return {'plan', ''} end
end
redis.call('SADD', members, own)
redis.call('SET', total, left() + mine)
redis.call('HSET', sizes, name, mine)
redis.call('SET', place, value)
return finish(verb == 'add' and value or '')
"""


def start(tenant_id: str, flow_id: str) -> str:
    return f"{prefix(tenant_id, flow_id)}memory:"


async def perform(need: Need, job: Job, flow: Flow) -> bytes | Failure:
    """get answers with the value or null, add with the sum; set and delete with the payload."""
    bundle = job.bundle
    flow_id = bundle.flow_ids.get(flow.name)
    if flow_id is None:
        return Failure("not-available", "this flow is not stored yet, so it has no memory")
    if need.options["verb"] == "get":
        found: Any = await aredis().get(start(bundle.tenant_id, flow_id) + need.options["key"])
        return b"null" if found is None else bytes(found)
    # Only a run that starts again after the loss of its process could do a step twice.
    step = str(need.step) if job.added and not job.level else ""
    room = Room(bundle.tenant_id, flow_id, flow.memory, bundle.memory_limit)
    return await change(need, room, (changes_of(job), step))


class Room(NamedTuple):
    """Whose memory it is, how much the flow may keep, and all flows of the tenant by its plan (None: any)."""

    tenant_id: str
    flow_id: str
    limit: int
    of_plan: int | None = None


async def change(need: Need, room: Room, once: tuple[str, str]) -> bytes | Failure:
    """One change as a whole; ``once`` is where the run keeps what its steps changed, and the step."""
    above, limit = prefix(room.tenant_id, room.flow_id), room.limit
    options, values = need.options, f"{above}memory:"
    verb, key, (changes, step) = options["verb"], options["key"], once
    flows = above.removesuffix(f"{room.flow_id}:")
    places = [values + key, f"{above}sizes", f"{above}size", changes, f"tenant:{room.tenant_id}:remembering"]
    arguments = [verb, key, options.get("value", b""), limit, values, step, KEPT_S]
    arguments += [options.get("expect", b""), MOST_KEYS]
    arguments += [room.flow_id, -1 if room.of_plan is None else room.of_plan, flows]
    outcome, answer = await changer()(keys=places, args=arguments, client=aredis())
    if outcome == b"done":
        return bytes(answer) or need.payload
    return refusal(outcome.decode(), key, limit)


def refusal(outcome: str, key: str, limit: int) -> Failure:
    if outcome == "conflict":
        return Failure("conflict", f"“{key[:100]}” has another value than was expected; nothing was changed")
    if outcome == "number":
        return Failure("validation", f"“{key[:100]}” and what is added are not numbers whose sum can be kept")
    if outcome == "plan":
        return Failure("budget", "the plan has no more room for memory of flows")
    return Failure("budget", f"the memory of this flow is limited to {limit} bytes and {MOST_KEYS:,} keys")


@cache
def changer() -> AsyncScript:
    import redis.asyncio

    # The script object only needs a client for its encoder; each call names the client of its own loop.
    return redis.asyncio.Redis().register_script(CHANGE)
