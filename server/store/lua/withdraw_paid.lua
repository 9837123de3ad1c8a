#!lua
-- withdraw_paid.lua: write down that a withdrawal has been paid out, once per withdrawal (DY-ACC-7).
--
-- KEYS[1] clock       hash    origin_ms, started_ms, speed
-- KEYS[2] transfers   hash    transfer id -> what was asked | what came of it
-- KEYS[3] journal     stream  one entry per movement of money
-- KEYS[4] withdrawal  hash    state, channel, amount_fen
-- ARGV[1] withdrawal_id  text
-- ARGV[2] creator_id     text
-- Reply, always: one word: done, repeated, not_found or failed (it has ended so already).

local transfers, journal, withdrawal = KEYS[2], KEYS[3], KEYS[4]
local withdrawal_id, creator_id = ARGV[1], ARGV[2]
local transfer_id = 'paid:' .. withdrawal_id

local record = redis.call('HMGET', withdrawal, 'state', 'channel', 'product', 'amount_fen')
local state = record[1]
if not state then return 'not_found' end
if redis.call('HGET', transfers, transfer_id) or state == 'paid' then return 'repeated' end
if state == 'failed' then return state end
if state ~= 'pending' or not record[2] or not record[3] then error({ err = 'BROKEN withdrawal' }) end
local amount_fen, now_ms = whole(record[4], 'withdrawal'), room_now_ms()
redis.call('XLEN', journal)

redis.call('HSET', withdrawal, 'state', 'paid', 'ended_at_ms', text_of(now_ms))
redis.call('HSET', transfers, transfer_id, transfer_id .. '|' .. text_of(amount_fen))
redis.call('XADD', journal, '*', 'kind', 'withdraw_paid', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'withdrawing:' .. creator_id, 'credit', 'payout:' .. record[2],
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms), 'product', record[3],
    'withdrawal_id', withdrawal_id)
return 'done'
