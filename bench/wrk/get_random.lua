-- GET of keys drawn uniformly from key-00000000 to key-<count - 1>.
-- args: count seed ["classes"]
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

function init(args)
  local count = tonumber(args[1])
  local template = wrk.format("GET", "/store/key-%08d")
  math.randomseed(tonumber(args[2]) + thread_index)
  request = function()
    return template:format(math.random(0, count - 1))
  end
  count_status_classes(args[3])
end
