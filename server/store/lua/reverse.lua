#!lua
-- reverse.lua: money on its way back arrives in its creator's funds: at most 500 reversals a call (DY-REV-8, DY-ACC-5).
--
-- KEYS[1] clock     hash    origin_ms, started_ms, speed
-- KEYS[2] wallet    hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] journal   stream  one entry per movement of money
-- KEYS[4] reversals  zset   key|packet_id|amount_fen, by room time due
-- ARGV[1] creator_id  text
-- Reply, always: how many have arrived.
--
-- What has arrived is taken off in the same step, so it arrives once, whoever calls and how often.

local BATCH_MAX = 500

local wallet, journal, reversals, creator_id = KEYS[2], KEYS[3], KEYS[4], ARGV[1]
local now_ms = room_now_ms()
local due = redis.call('ZRANGEBYSCORE', reversals, '-inf', text_of(now_ms), 'LIMIT', 0, BATCH_MAX)
if #due == 0 then return 0 end

local sum_fen = 0
for _, member in ipairs(due) do sum_fen = sum_fen + whole(string.match(member, '|(%d+)$'), 'reversals') end
local balances = redis.call('HMGET', wallet, 'available_fen', 'returned_fen', 'reversing_fen')
for i = 1, 3 do balances[i] = whole(balances[i] or '0', 'wallet') end
local available_fen = whole(text_of(balances[1] + sum_fen), 'wallet')
local returned_fen = whole(text_of(balances[2] + sum_fen), 'wallet')
if balances[3] < sum_fen then error({ err = 'BROKEN reversals' }) end
redis.call('XLEN', journal)

redis.call('ZREM', reversals, unpack(due))
redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'returned_fen', text_of(returned_fen),
    'reversing_fen', text_of(balances[3] - sum_fen))
redis.call('XADD', journal, '*', 'kind', 'reverse', 'transfer_id', 'reverse:' .. string.match(due[1], '^[^|]+'),
    'packet_id', '', 'debit', 'reversing:' .. creator_id, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(sum_fen), 'at_ms', text_of(now_ms), 'product', 'red_packet',
    'balance_fen', text_of(available_fen), 'reversals', table.concat(due, ';'))
return #due
