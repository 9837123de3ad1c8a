#!lua
-- keep_clock.lua: move the start of the room clock back with the store's own clock, so that room time goes on.
--
-- KEYS[1] clock  hash  origin_ms, started_ms, speed
-- ARGV[1] known_ms     int  started_ms as the process knows it: of processes that notice one step, the first moves it
-- ARGV[2] expected_ms  int  the store's time by what the process read last and by its own clock, 0 if it read none
-- ARGV[3] step_min_ms  int  less than that is no step
-- Reply, always: { started_ms, now_ms }, as they are now

local clock = KEYS[1]
local known_ms, expected_ms = whole(ARGV[1], 'known_ms'), whole(ARGV[2], 'expected_ms')
local step_min_ms = whole(ARGV[3], 'step_min_ms')

local started_ms = whole(redis.call('HGET', clock, 'started_ms'), 'clock')
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local back_ms = expected_ms - now_ms
if expected_ms > 0 and back_ms >= step_min_ms and started_ms == known_ms then
    started_ms = started_ms - back_ms
    redis.call('HSET', clock, 'started_ms', text_of(started_ms))
end
return { text_of(started_ms), text_of(now_ms) }
