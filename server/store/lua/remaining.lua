#!lua
-- remaining.lua: count the shares that are left of several packets of one creator, all of one instant.
--
-- For the n-th packet, from 0 on:
-- KEYS[3n + 1] packet  hash  state, share_count, given, capabilities
-- KEYS[3n + 2] shares  list  fen not yet given
-- KEYS[3n + 3] added   list  fen that an edit has added
-- Reply, always: for each packet { shares in both lists, state, share_count, given, capabilities }, or false if there
-- is no such packet.

local reply = {}
for at = 1, #KEYS, 3 do
    local record = redis.call('HMGET', KEYS[at], 'state', 'share_count', 'given', 'capabilities')
    reply[#reply + 1] = record[1]
        and { redis.call('LLEN', KEYS[at + 1]) + redis.call('LLEN', KEYS[at + 2]), unpack(record) }
end
return reply
