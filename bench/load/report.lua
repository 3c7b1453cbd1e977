-- What every load script ends with: one line of JSON for load/wrk.ts.
function done(summary, latency, requests)
  local faults = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"p50":%.1f,"p99":%.1f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    faults.status, faults.connect + faults.read + faults.write + faults.timeout))
end

-- Called by each thread. A mean pause in milliseconds between the answer and the next request of a connection, spread
-- evenly over twice its length; 0: none.
function pauses(mean)
  if mean > 0 then
    delay = function() return math.random(0, 2 * mean) end
  end
end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
