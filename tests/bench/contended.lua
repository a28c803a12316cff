-- wrk: calls of many tenants in turn; CONTENDERS has lines of "slug key".
local heads, turn = {}, 0
for line in io.lines(os.getenv("CONTENDERS")) do
  local slug, key = line:match("(%S+) (%S+)")
  local sent = {["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json"}
  heads[#heads + 1] = wrk.format("POST", "/" .. slug .. "/api/shop/echo", sent, '{"a":1}')
end
request = function()
  turn = turn + 1
  return heads[turn % #heads + 1]
end
done = function(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\n{"calls":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"lost":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    lost, errors.status))
end
