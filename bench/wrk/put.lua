-- PUT /store/key-<n>, raw body: each thread walks through its own range of n and starts again at its end.
-- args: first span value ["classes"]; thread i has the numbers first + i*span up to first + (i+1)*span - 1
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

function init(args)
  local first, span, value = tonumber(args[1]), tonumber(args[2]), args[3]
  local template = wrk.format("PUT", "/store/key-%08d", { ["Content-Type"] = "application/octet-stream" }, value)
  local base, step = first + thread_index * span, 0
  request = function()
    local number = base + step
    step = (step + 1) % span
    return template:format(number)
  end
  count_status_classes(args[4])
end
