#!lua
-- audience.lua: take how many viewers and likes one process has, and say what all living processes have.
--
-- KEYS[1] present  hash  process id -> "expires_ms:numbers", by the store's real time
-- KEYS[2] likes    hash  room id -> likes in total
-- ARGV[1] process id
-- ARGV[2] its numbers, opaque to this script
-- ARGV[3] how long they hold, real ms
-- ARGV[4...] pairs of a room id and the likes to add to it, which may be 0
-- Reply, always: { { process id, numbers, ... } of all that live, { likes in total of each pair's room, ... } }

local present, likes = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', present, ARGV[1], string.format('%.0f:%s', now_ms + tonumber(ARGV[3]), ARGV[2]))

local living, fields = {}, redis.call('HGETALL', present)
for i = 1, #fields, 2 do
  local expires_ms, numbers = string.match(fields[i + 1], '^(%d+):(.*)$')
  if expires_ms and tonumber(expires_ms) > now_ms then
    living[#living + 1] = fields[i]
    living[#living + 1] = numbers
  else
    redis.call('HDEL', present, fields[i])
  end
end

local totals = {}
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '0' then
    totals[#totals + 1] = tonumber(redis.call('HGET', likes, ARGV[i]) or 0)
  else
    totals[#totals + 1] = redis.call('HINCRBY', likes, ARGV[i], ARGV[i + 1])
  end
end
return { living, totals }
