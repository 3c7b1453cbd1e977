-- The same request for ever. Arguments: mean pause.
require("report")

wrk.body = "grant_type=client_credentials&scope=orders.read%20orders.write"

function init(args)
  math.randomseed(os.time())
  pauses(tonumber(args[1]))
end
