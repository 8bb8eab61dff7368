-- Shared by every script: which thread this is, and the result as one line of JSON after the mark RESULT.
-- wrk counts an answer as an error when its status is over 399. With the argument "classes" the answers are also
-- counted by status class; that makes wrk parse every answer in Lua, so only warm-ups and diagnoses ask for it.

local threads = {}

function setup(thread)
  thread:set("thread_index", #threads)
  threads[#threads + 1] = thread
end

function count_status_classes(wanted)
  if wanted ~= "classes" then return end
  classes = {}
  response = function(status)
    local class = math.floor(status / 100) .. "xx"
    classes[class] = (classes[class] or 0) + 1
  end
end

local function classes_json()
  local sums, parts = {}, {}
  for _, thread in ipairs(threads) do
    for class, count in pairs(thread:get("classes") or {}) do
      sums[class] = (sums[class] or 0) + count
    end
  end
  for class, count in pairs(sums) do
    parts[#parts + 1] = ('"%s":%d'):format(class, count)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function done(summary, latency)
  local errors = summary.errors
  print(("RESULT " .. '{"duration_us":%d,"requests":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,"max_us":%d,'
    .. '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},"classes":%s}'):format(
    summary.duration, summary.requests, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout, classes_json()))
end
