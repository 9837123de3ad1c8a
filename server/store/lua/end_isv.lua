#!lua
-- end_isv.lua: end the integration of an ISV; what it has reported until now stays shown (AMB-49).
--
-- KEYS[1] isvs   set   the ISVs that are integrated
-- KEYS[2] ended  hash  ISV -> the microsecond of the store's own clock until which its reports are shown
-- ARGV[1] isv_id
-- Reply, always: 1, or 0 if it was not integrated; then nothing was written

local isvs, ended, isv_id = KEYS[1], KEYS[2], ARGV[1]

redis.call('HLEN', ended) -- of another type it fails before anything is written
if redis.call('SREM', isvs, isv_id) == 0 then
  return 0
end
local time = redis.call('TIME')
redis.call('HSET', ended, isv_id, time[1] .. string.format('%06d', time[2]))
return 1
