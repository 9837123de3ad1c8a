#!lua
-- recharge.lua: credit a creator's available funds with money from outside, once per transfer id (DY-ACC-1).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, recharged_fen, returned_fen, withdrawn_fen, spent_fen
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- ARGV[1] transfer_id  text
-- ARGV[2] creator_id   text
-- ARGV[3] channel      text  where the money comes from
-- ARGV[4] amount_fen   int   positive
-- Reply, always: { outcome, funds }: outcome is done, repeated, transfer_conflict or too_much; funds are the five
-- balances after the transfer, in the order above, joined by commas ('' if it was refused).

local FEN_MAX = 9007199254740991

local function whole(text, what)
    local number = text and string.match(text, '^%d+$') and tonumber(text)
    if not number or number > FEN_MAX then error({ err = 'BROKEN ' .. what }) end
    return number
end

local function text_of(number) return string.format('%.0f', number) end

local function room_now_ms()
    local record = redis.call('HMGET', KEYS[1], 'origin_ms', 'started_ms', 'speed')
    local time = redis.call('TIME')
    local real_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local origin_ms, started_ms = whole(record[1], 'clock'), whole(record[2], 'clock')
    return origin_ms + (real_ms - started_ms) * whole(record[3], 'clock')
end

local wallet, transfers, journal = KEYS[2], KEYS[3], KEYS[4]
local transfer_id, creator_id, channel = ARGV[1], ARGV[2], ARGV[3]
local amount_fen = whole(ARGV[4], 'amount_fen')

local asked = 'recharge:' .. channel .. ':' .. text_of(amount_fen)
local seen = redis.call('HGET', transfers, transfer_id)
if seen then
    local same = string.sub(seen, 1, #asked + 1) == asked .. '|'
    if not same then return { 'transfer_conflict', '' } end
    return { 'repeated', string.sub(seen, #asked + 2) }
end

local now_ms = room_now_ms()
local balances = redis.call('HMGET', wallet,
    'available_fen', 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen')
for i = 1, 5 do balances[i] = whole(balances[i] or '0', 'wallet') end
redis.call('XLEN', journal)
if balances[2] + amount_fen > FEN_MAX or balances[1] + amount_fen > FEN_MAX then return { 'too_much', '' } end

balances[1] = balances[1] + amount_fen
balances[2] = balances[2] + amount_fen
for i = 1, 5 do balances[i] = text_of(balances[i]) end
local funds = table.concat(balances, ',')

redis.call('HSET', wallet, 'available_fen', balances[1], 'recharged_fen', balances[2],
    'returned_fen', balances[3], 'withdrawn_fen', balances[4], 'spent_fen', balances[5])
redis.call('HSET', transfers, transfer_id, asked .. '|' .. funds)
redis.call('XADD', journal, '*', 'kind', 'recharge', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'psp:' .. channel, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms))
return { 'done', funds }
