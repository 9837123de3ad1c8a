#!lua
-- books.lua: read a creator's balances, the counters of all its packets and where its journal ends, all at one instant.
--
-- KEYS[1] clock    hash    origin_ms, started_ms, speed
-- KEYS[2] wallet   hash    available_fen, recharged_fen, returned_fen, withdrawn_fen, spent_fen, reversing_fen
-- KEYS[3] journal  stream  one entry per movement of money
-- KEYS[4] packets  zset    packet id, by room time of creation
-- KEYS[5] opening  hash    what the journal amounted to where it begins
-- KEYS[6] retired  zset    packets that are gone although some of their journal is there
-- KEYS[7...]       packet (hash), shares (list) and added (list) of each packet, in turn
-- ARGV    none
-- Reply: { cut_ms, journal_last_id, { the six balances }, { opening as field, value ... }, { retired packet ids },
-- { packet as field, value ... }, shares left, ... }: the last two for each packet. { -1 } if the creator has another
-- number of packets than the keys name.

local FIRST = 7

if redis.call('ZCARD', KEYS[4]) ~= (#KEYS - FIRST + 1) / 3 then return { -1 } end

local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local balances = redis.call('HMGET', KEYS[2],
    'available_fen', 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen',
    'reversing_fen')
for i = 1, 6 do balances[i] = whole(balances[i] or '0', 'wallet') end
local opening, retired = redis.call('HGETALL', KEYS[5]), redis.call('ZRANGE', KEYS[6], 0, -1)
local last_id = last[1] and last[1][1] or redis.call('HGET', KEYS[5], 'through_entry_id') or '0-0'
local reply = { room_now_ms(), last_id, balances, opening, retired }
for i = FIRST, #KEYS, 3 do
    reply[#reply + 1] = redis.call('HGETALL', KEYS[i])
    reply[#reply + 1] = redis.call('LLEN', KEYS[i + 1]) + redis.call('LLEN', KEYS[i + 2])
end
return reply
