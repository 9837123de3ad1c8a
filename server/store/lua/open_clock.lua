#!lua
-- open_clock.lua: write the room clock if there is none, and say what it is.
--
-- KEYS[1] clock  hash  origin_ms, started_ms, speed
-- ARGV[1] origin_ms   room time at the real instant started_ms
-- ARGV[2] started_ms  real milliseconds since 1970
-- ARGV[3] speed       room milliseconds per real one
-- Reply, always: { origin_ms, started_ms, speed }, of the clock that counts

local clock = KEYS[1]

if redis.call('EXISTS', clock) == 0 then
  redis.call('HSET', clock, 'origin_ms', ARGV[1], 'started_ms', ARGV[2], 'speed', ARGV[3])
end
return redis.call('HMGET', clock, 'origin_ms', 'started_ms', 'speed')
