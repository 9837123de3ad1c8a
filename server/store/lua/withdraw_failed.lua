#!lua
-- withdraw_failed.lua: put the money of a withdrawal that could not be paid out back, once per withdrawal (DY-ACC-7).
--
-- KEYS[1] clock       hash    origin_ms, started_ms, speed
-- KEYS[2] wallet      hash    available_fen, withdrawn_fen and the other balances
-- KEYS[3] transfers   hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal     stream  one entry per movement of money
-- KEYS[5] withdrawal  hash    state, channel, amount_fen
-- ARGV[1] withdrawal_id  text
-- ARGV[2] creator_id     text
-- Reply, always: one word: done, repeated, not_found or paid (it has ended so already).

local wallet, transfers, journal, withdrawal = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local withdrawal_id, creator_id = ARGV[1], ARGV[2]
local transfer_id = 'failed:' .. withdrawal_id

local record = redis.call('HMGET', withdrawal, 'state', 'channel', 'product', 'amount_fen')
local state = record[1]
if not state then return 'not_found' end
if redis.call('HGET', transfers, transfer_id) or state == 'failed' then return 'repeated' end
if state == 'paid' then return state end
if state ~= 'pending' or not record[2] or not record[3] then error({ err = 'BROKEN withdrawal' }) end
local amount_fen, now_ms = whole(record[4], 'withdrawal'), room_now_ms()
local balances = redis.call('HMGET', wallet, 'available_fen', 'withdrawn_fen')
local available_fen = whole(balances[1] or '0', 'wallet') + amount_fen
local withdrawn_fen = whole(balances[2] or '0', 'wallet') - amount_fen
if available_fen > FEN_MAX or withdrawn_fen < 0 then error({ err = 'BROKEN wallet' }) end
redis.call('XLEN', journal)

redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'withdrawn_fen', text_of(withdrawn_fen))
redis.call('HSET', withdrawal, 'state', 'failed', 'ended_at_ms', text_of(now_ms))
redis.call('HSET', transfers, transfer_id, transfer_id .. '|' .. text_of(amount_fen))
redis.call('XADD', journal, '*', 'kind', 'withdraw_failed', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'withdrawing:' .. creator_id, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms), 'product', record[3],
    'balance_fen', text_of(available_fen), 'withdrawal_id', withdrawal_id)
return 'done'
