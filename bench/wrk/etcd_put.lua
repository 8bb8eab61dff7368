-- The same writes through etcd's JSON gateway, which wants key and value in base64.
-- args: first span value_in_base64 ["classes"]; ranges as in put.lua
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Keys have 12 bytes, so there is never any padding.
local function base64(text)
  return (text:gsub("...", function(group)
    local a, b, c = group:byte(1, 3)
    local bits = a * 65536 + b * 256 + c
    local letters = ""
    for shift = 3, 0, -1 do
      local at = math.floor(bits / 64 ^ shift) % 64 + 1
      letters = letters .. alphabet:sub(at, at)
    end
    return letters
  end))
end

function init(args)
  local first, span, value = tonumber(args[1]), tonumber(args[2]), args[3]
  local hole = ("#"):rep(16) -- as long as the encoded key, so that Content-Length comes out right
  local body = ('{"key":"%s","value":"%s"}'):format(hole, value)
  local whole = wrk.format("POST", "/v3/kv/put", { ["Content-Type"] = "application/json" }, body)
  local before, after = whole:match("^(.-)" .. hole .. "(.*)$")
  local base, step = first + thread_index * span, 0
  request = function()
    local key = ("key-%08d"):format(base + step)
    step = (step + 1) % span
    return before .. base64(key) .. after
  end
  count_status_classes(args[4])
end
