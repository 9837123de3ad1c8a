#!lua
-- coupon_return.lua: give what is left of a coupon budget back to its creator, once per budget (AMB-56).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] budget     hash    state, amount_fen, reversal_delay_ms
-- KEYS[6] reversals  zset    money on its way back, by room time due
-- ARGV[1] budget_id   text
-- ARGV[2] creator_id  text
-- Reply, always: one word: done, repeated or not_found.

local transfers, journal, budget, budget_id = KEYS[3], KEYS[4], KEYS[5], ARGV[1]
local transfer_id = 'coupon_return:' .. budget_id

local record = redis.call('HMGET', budget, 'state', 'amount_fen', 'reversal_delay_ms')
if not record[1] then return 'not_found' end
if record[1] == 'returned' then return 'repeated' end
if record[1] ~= 'open' then error({ err = 'BROKEN budget' }) end
local left_fen, now_ms = whole(record[2], 'budget'), room_now_ms()
redis.call('HLEN', transfers)
redis.call('XLEN', journal)
local carry_out = plan_return(KEYS[2], KEYS[6], ARGV[2], '', transfer_id, left_fen, record[3], now_ms,
    'creator_coupon')

redis.call('HSET', budget, 'state', 'returned', 'returned_at_ms', text_of(now_ms))
redis.call('HSET', transfers, transfer_id, transfer_id .. '|' .. text_of(left_fen))
redis.call('XADD', journal, '*', 'kind', 'coupon_return', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'coupons:' .. budget_id, 'amount_fen', text_of(left_fen), 'at_ms', text_of(now_ms),
    unpack(carry_out()))
return 'done'
