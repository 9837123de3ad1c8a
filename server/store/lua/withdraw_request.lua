#!lua
-- withdraw_request.lua: set money of a creator's funds aside for it to be paid out, once per transfer id (DY-ACC-7).
--
-- KEYS[1] clock        hash    origin_ms, started_ms, speed
-- KEYS[2] wallet       hash    available_fen, withdrawn_fen and the other balances
-- KEYS[3] transfers    hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal      stream  one entry per movement of money
-- KEYS[5] withdrawals  zset    withdrawal id, by room time of its request
-- KEYS[6] withdrawal   hash    written here
-- ARGV[1] transfer_id    text
-- ARGV[2] creator_id     text
-- ARGV[3] withdrawal_id  text  new
-- ARGV[4] channel        text  where the money goes
-- ARGV[5] product        text  red_packet or creator_coupon: the page it was asked for on (DY-ACC-3)
-- ARGV[6] amount_fen     int   positive
-- ARGV[7] payee_name     text  '' if none is named
-- ARGV[8] payee_account  text
-- Reply, always: { outcome, withdrawal_id }: outcome is done, repeated (withdrawal_id is the one made then),
-- transfer_conflict, insufficient_funds or too_much.

local wallet, transfers, journal, withdrawals, withdrawal = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local transfer_id, creator_id, withdrawal_id, channel, product = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local amount_fen = whole(ARGV[6], 'amount_fen')
local payee_name, payee_account = ARGV[7] or '', ARGV[8] or ''
if amount_fen == 0 then error({ err = 'BROKEN amount_fen' }) end

local asked = 'withdraw:' .. channel .. ':' .. product .. ':' .. text_of(amount_fen)
if payee_name ~= '' then asked = asked .. ':' .. redis.sha1hex(payee_name .. '\n' .. payee_account) end
local known, came_of_it = earlier(transfers, transfer_id, asked)
if known then return { known, came_of_it } end

if redis.call('EXISTS', withdrawal) > 0 then error({ err = 'BROKEN withdrawal' }) end
local now_ms = room_now_ms()
local balances = redis.call('HMGET', wallet, 'available_fen', 'withdrawn_fen')
local available_fen, withdrawn_fen = whole(balances[1] or '0', 'wallet'), whole(balances[2] or '0', 'wallet')
redis.call('XLEN', journal)
redis.call('ZCARD', withdrawals)
if available_fen < amount_fen then return { 'insufficient_funds', '' } end
if withdrawn_fen + amount_fen > FEN_MAX then return { 'too_much', '' } end

available_fen = available_fen - amount_fen
redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'withdrawn_fen', text_of(withdrawn_fen + amount_fen))
redis.call('HSET', withdrawal, 'withdrawal_id', withdrawal_id, 'creator_id', creator_id, 'state', 'pending',
    'channel', channel, 'product', product, 'amount_fen', text_of(amount_fen), 'requested_at_ms', text_of(now_ms))
if payee_name ~= '' then
    redis.call('HSET', withdrawal, 'payee_name', payee_name, 'payee_account', payee_account)
end
redis.call('ZADD', withdrawals, text_of(now_ms), withdrawal_id)
redis.call('HSET', transfers, transfer_id, asked .. '|' .. withdrawal_id)
redis.call('XADD', journal, '*', 'kind', 'withdraw', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'funds:' .. creator_id, 'credit', 'withdrawing:' .. creator_id,
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms), 'product', product,
    'balance_fen', text_of(available_fen), 'withdrawal_id', withdrawal_id)
return { 'done', withdrawal_id }
