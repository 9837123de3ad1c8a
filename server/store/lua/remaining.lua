#!lua
-- remaining.lua: count the shares that are left of several packets of one creator, all of one instant.
--
-- KEYS[1...] three for each packet, one packet after the other:
--   packet  hash  state, share_count, given, capabilities
--   shares  list  fen not yet given
--   added   list  fen that an edit has added
-- Reply, always: for each packet { shares in both lists, state, share_count, given, capabilities }, or false if there
-- is no such packet.

local reply = {}
for n = 0, #KEYS / 3 - 1 do
    local record = redis.call('HMGET', KEYS[3 * n + 1], 'state', 'share_count', 'given', 'capabilities')
    reply[n + 1] = record[1]
        and { redis.call('LLEN', KEYS[3 * n + 2]) + redis.call('LLEN', KEYS[3 * n + 3]), unpack(record) }
end
return reply
