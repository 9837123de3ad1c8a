#!lua
-- marks.lua: read how far the books of some creators go, all at one instant.
--
-- KEYS[1] epoch    string  the identity of the store's books
-- KEYS[2...]       journal (stream), opening (hash), retired (zset) and packet (hash) of each creator, in turn
-- ARGV             the packet's id for each creator; an empty one names no packet
-- Reply: { epoch, last entry, dropped through, given, retired, ... }: the last four for each creator. An empty text says
-- that there is none; retired is 1 if retention dropped the packet.

local reply = { redis.call('GET', KEYS[1]) or '' }
for i, packet_id in ipairs(ARGV) do
    local first = 4 * i - 2
    local last = redis.call('XREVRANGE', KEYS[first], '+', '-', 'COUNT', 1)[1]
    reply[#reply + 1] = last and last[1] or ''
    reply[#reply + 1] = redis.call('HGET', KEYS[first + 1], 'through_entry_id') or ''
    reply[#reply + 1] = packet_id ~= '' and redis.call('HGET', KEYS[first + 3], 'given') or ''
    reply[#reply + 1] = packet_id ~= '' and redis.call('ZSCORE', KEYS[first + 2], packet_id) and 1 or 0
end
return reply
