-- wrk: posts the body and headers that the environment names, and ends with one line of JSON.
wrk.method = "POST"
wrk.body = io.open(os.getenv("BENCH_BODY"), "rb"):read("*a")
wrk.headers["Content-Type"] = "application/json"
if os.getenv("BENCH_TOKEN") ~= "" then
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
end

done = function(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('\n{"calls":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"lost":%d,"refused":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    lost, errors.status))
end

-- Another head with every call, as of clients that number their requests.
if os.getenv("BENCH_VARY") == "1" then
  local number = 0
  request = function()
    number = number + 1
    wrk.headers["X-Request-Id"] = string.format("%08x", number)
    return wrk.format()
  end
end
