#!lua
-- coupon_fund.lua: move money of a creator's funds into a budget for its coupons, once per transfer id (DY-ACC-3, AMB-56).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, spent_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] budgets    zset    budget id, by room time of its funding
-- KEYS[6] budget     hash    written here
-- ARGV[1] transfer_id        text
-- ARGV[2] creator_id         text
-- ARGV[3] budget_id          text  new
-- ARGV[4] amount_fen         int   positive
-- ARGV[5] reversal_delay_ms  int   the platform's
-- Reply, always: { outcome, budget_id }: outcome is done, repeated (budget_id is the one made then), transfer_conflict,
-- recharge_required (there are no funds at all), insufficient_funds or too_much.

local wallet, transfers, journal, budgets, budget = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local transfer_id, creator_id, budget_id = ARGV[1], ARGV[2], ARGV[3]
local amount_fen = whole(ARGV[4], 'amount_fen')
whole(ARGV[5], 'reversal_delay_ms')
if amount_fen == 0 then error({ err = 'BROKEN amount_fen' }) end

local asked = 'coupons:' .. text_of(amount_fen)
local known, came_of_it = earlier(transfers, transfer_id, asked)
if known then return { known, came_of_it } end

if redis.call('EXISTS', budget) > 0 then error({ err = 'BROKEN budget' }) end
local now_ms = room_now_ms()
local balances = redis.call('HMGET', wallet, 'available_fen', 'spent_fen')
local available_fen, spent_fen = whole(balances[1] or '0', 'wallet'), whole(balances[2] or '0', 'wallet')
redis.call('XLEN', journal)
redis.call('ZCARD', budgets)
if available_fen == 0 then return { 'recharge_required', '' } end
if available_fen < amount_fen then return { 'insufficient_funds', '' } end
if spent_fen + amount_fen > FEN_MAX then return { 'too_much', '' } end

available_fen = available_fen - amount_fen
redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'spent_fen', text_of(spent_fen + amount_fen))
redis.call('HSET', budget, 'budget_id', budget_id, 'creator_id', creator_id, 'state', 'open',
    'amount_fen', text_of(amount_fen), 'funded_at_ms', text_of(now_ms), 'reversal_delay_ms', ARGV[5])
redis.call('ZADD', budgets, text_of(now_ms), budget_id)
redis.call('HSET', transfers, transfer_id, asked .. '|' .. budget_id)
redis.call('XADD', journal, '*', 'kind', 'coupon_fund', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'funds:' .. creator_id, 'credit', 'coupons:' .. budget_id,
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms), 'product', 'creator_coupon',
    'balance_fen', text_of(available_fen))
return { 'done', budget_id }
