-- Half PUT, half GET of random keys, on every connection in turn. Arguments:
--   KEYS  how many different keys; all exist before
--   VALUE bytes of a value
--   PAUSE milliseconds before each request of a connection; 0: none
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

function init(args)
  keys = tonumber(args[1])
  value = ("v"):rep(tonumber(args[2]))
  pause = tonumber(args[3])
  sent = 0
  math.randomseed(os.time() + thread_index)
  count_status_classes("classes")
end

function delay() return pause end

function request()
  sent = sent + 1
  local path = "/store/mix-" .. math.random(keys)
  if sent % 2 == 0 then return wrk.format("GET", path) end
  return wrk.format("PUT", path, {["Content-Type"] = "text/plain"}, value)
end
