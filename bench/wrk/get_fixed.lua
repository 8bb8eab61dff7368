-- GET of the one path in the URL: wrk sends the same bytes again and again, at its full speed.
-- args: ["classes"]
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "result.lua")

function init(args)
  count_status_classes(args[1])
end
