#!lua
-- unstage.lua: drop the staged shares of a packet that was never created.
--
-- KEYS[1] stagings  zset  packet id, by the real millisecond at which its staging began
-- KEYS[2] staging   list  fen
-- KEYS[3] staged    hash  count, sum_fen, commitment
-- ARGV[1] packet_id   text
-- ARGV[2] age_ms      int   real milliseconds; a younger staging stays
-- ARGV[3] commitment  text  whose shares; '' for anybody's
-- Reply, always: 1 if it was dropped, 0 if it stays or there is none.

local began_ms = redis.call('ZSCORE', KEYS[1], ARGV[1])
local age_ms = tonumber(ARGV[2])
if not age_ms then error({ err = 'BROKEN age_ms' }) end
local commitment = redis.call('HGET', KEYS[3], 'commitment')
if not began_ms then return 0 end
if ARGV[3] ~= '' and commitment ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now_ms - tonumber(began_ms) < age_ms then return 0 end

redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
