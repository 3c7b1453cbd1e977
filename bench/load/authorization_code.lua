-- Each request redeems the next code of the file; a thread that has no more stops.
-- Arguments: mean pause, file with a code per line, what follows the code in the body.
require("report")

local threads = 0
function setup(thread)
  thread:set("line", threads)
  threads = threads + 1
end

local prefix = "grant_type=authorization_code&code="
local codes = {}
local next_code = 1

function init(args)
  pauses(tonumber(args[1]))
  suffix = args[3]
  local at = 0
  for code in io.lines(args[2]) do
    -- Two threads: even lines and odd ones.
    if at % 2 == line then codes[#codes + 1] = code end
    at = at + 1
  end
end

function request()
  local code = codes[next_code]
  next_code = next_code + 1
  if code == nil then
    wrk.thread:stop()
    return wrk.format("GET", "/bench/over", nil, nil)
  end
  return wrk.format(nil, nil, nil, prefix .. code .. suffix)
end
