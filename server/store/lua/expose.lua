#!lua
-- expose.lua: count viewers who have seen a packet, each once over all processes, up to a number of viewers (AMB-51).
--
-- KEYS[1] viewers  set   who has seen it; it expires by itself
-- KEYS[2] effects  hash  running totals of the packet: exposed
-- ARGV[1] exact_max  int   how many viewers are told apart; when there are more, all that are given count
-- ARGV[2] kept_s     int   how long the set is kept, in real seconds
-- ARGV[3...]         text  viewer ids, at most 500
-- Reply, always: how many were counted

local viewers, effects = KEYS[1], KEYS[2]
local given = { unpack(ARGV, 3) }

redis.call('HLEN', effects) -- of another type it fails before anything is written
local new = #given
if redis.call('SCARD', viewers) < whole(ARGV[1], 'exact_max') then
    new = redis.call('SADD', viewers, unpack(given))
    redis.call('EXPIRE', viewers, ARGV[2])
end
if new > 0 then redis.call('HINCRBY', effects, 'exposed', new) end
return new
