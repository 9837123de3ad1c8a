#!lua
-- books.lua: read a creator's balances, the counters of all its packets and where its journal ends, all at one instant.
--
-- KEYS[1] clock    hash    origin_ms, started_ms, speed
-- KEYS[2] wallet   hash    available_fen, recharged_fen, returned_fen, withdrawn_fen, spent_fen
-- KEYS[3] journal  stream  one entry per movement of money
-- KEYS[4] packets  zset    packet id, by room time of creation
-- KEYS[5] opening  hash    what the journal amounted to where it begins
-- KEYS[6...]       packet (hash) and shares (list) of each packet, in turn
-- ARGV    none
-- Reply: { cut_ms, journal_last_id, { the five balances }, { opening as field, value ... },
-- { packet as field, value ... }, shares left, ... }: the last two for each packet. { -1 } if the creator has another
-- number of packets than the keys name.

local FEN_MAX = 9007199254740991
local FIRST = 6

local function whole(text, what)
    local number = text and string.match(text, '^%d+$') and tonumber(text)
    if not number or number > FEN_MAX then error({ err = 'BROKEN ' .. what }) end
    return number
end

local function room_now_ms()
    local record = redis.call('HMGET', KEYS[1], 'origin_ms', 'started_ms', 'speed')
    local time = redis.call('TIME')
    local real_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local origin_ms, started_ms = whole(record[1], 'clock'), whole(record[2], 'clock')
    return origin_ms + (real_ms - started_ms) * whole(record[3], 'clock')
end

if redis.call('ZCARD', KEYS[4]) ~= (#KEYS - FIRST + 1) / 2 then return { -1 } end

local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
local balances = redis.call('HMGET', KEYS[2],
    'available_fen', 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen')
for i = 1, 5 do balances[i] = whole(balances[i] or '0', 'wallet') end
local opening = redis.call('HGETALL', KEYS[5])
local last_id = last[1] and last[1][1] or redis.call('HGET', KEYS[5], 'through_entry_id') or '0-0'
local reply = { room_now_ms(), last_id, balances, opening }
for i = FIRST, #KEYS, 2 do
    reply[#reply + 1] = redis.call('HGETALL', KEYS[i])
    reply[#reply + 1] = redis.call('LLEN', KEYS[i + 1])
end
return reply
