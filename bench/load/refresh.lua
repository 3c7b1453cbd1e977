-- One connection per thread, one family per connection: each answer's refresh token is the next request's. This is why
-- the scenario runs with as many threads as connections: a thread's Lua state cannot tell its connections apart.
-- Arguments: mean pause, file with a refresh token per line.
require("report")

local threads = 0
function setup(thread)
  thread:set("line", threads)
  threads = threads + 1
end

local prefix = "grant_type=refresh_token&refresh_token="
local told = false

function init(args)
  math.randomseed(os.time() + line)
  pauses(tonumber(args[1]))
  local at = 0
  for token in io.lines(args[2]) do
    if at == line then current = token end
    at = at + 1
  end
end

function request()
  return wrk.format(nil, nil, nil, prefix .. current)
end

function response(status, headers, body)
  local heir = string.match(body, '"refresh_token":"([^"]+)"')
  if status == 200 and heir then
    current = heir
  elseif not told then
    told = true
    io.stderr:write(status .. " " .. body .. "\n")
  end
end
