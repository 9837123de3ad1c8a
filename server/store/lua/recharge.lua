#!lua
-- recharge.lua: credit a creator's funds with money from outside, once per transfer id (DY-ACC-1, KS-ACC-4).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    platform, available_fen, recharged_fen, returned_fen, withdrawn_fen, spent_fen, reversing_fen
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- ARGV[1] transfer_id   text
-- ARGV[2] creator_id    text
-- ARGV[3] platform      text  the creator's; the first recharge settles it
-- ARGV[4] channel       text  where the money comes from
-- ARGV[5] product       text  red_packet or creator_coupon: the page it was paid in on; the pool is one (DY-ACC-3)
-- ARGV[6] asked_fen     int   positive: the amount as the payer named it
-- ARGV[7] credited_fen  int   positive: what reaches the funds
-- ARGV[8] fee_fen       int   what the channel keeps besides; the payer pays both
-- Reply, always: { outcome, came_of_it }: outcome is done, repeated, transfer_conflict, other_platform or too_much;
-- what came of it are credited_fen, fee_fen and the six balances after the transfer, in the order above, joined by
-- commas ('' if it was refused).

local wallet, transfers, journal = KEYS[2], KEYS[3], KEYS[4]
local transfer_id, creator_id, platform, channel, product = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local asked_fen, amount_fen = whole(ARGV[6], 'asked_fen'), whole(ARGV[7], 'credited_fen')
local fee_fen = whole(ARGV[8], 'fee_fen')
if amount_fen == 0 then error({ err = 'BROKEN credited_fen' }) end

-- Looked at first: a caller that presumed another platform asks again, and only then is the same as it was.
if (redis.call('HGET', wallet, 'platform') or platform) ~= platform then return { 'other_platform', '' } end

local asked = 'recharge:' .. platform .. ':' .. channel .. ':' .. product .. ':' .. text_of(asked_fen)
local known, came_of_it = earlier(transfers, transfer_id, asked)
if known then return { known, came_of_it } end

local now_ms = room_now_ms()
local balances = redis.call('HMGET', wallet,
    'available_fen', 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen', 'reversing_fen')
for i = 1, 6 do balances[i] = whole(balances[i] or '0', 'wallet') end
redis.call('XLEN', journal)
if balances[2] + amount_fen > FEN_MAX or balances[1] + amount_fen > FEN_MAX or amount_fen + fee_fen > FEN_MAX then
    return { 'too_much', '' }
end

balances[1] = balances[1] + amount_fen
balances[2] = balances[2] + amount_fen
for i = 1, 6 do balances[i] = text_of(balances[i]) end
came_of_it = text_of(amount_fen) .. ',' .. text_of(fee_fen) .. ',' .. table.concat(balances, ',')

redis.call('HSET', wallet, 'platform', platform, 'available_fen', balances[1], 'recharged_fen', balances[2],
    'returned_fen', balances[3], 'withdrawn_fen', balances[4], 'spent_fen', balances[5])
redis.call('HSET', transfers, transfer_id, asked .. '|' .. came_of_it)
local entry = { 'kind', 'recharge', 'transfer_id', transfer_id, 'packet_id', '',
    'debit', 'psp:' .. channel, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(amount_fen), 'at_ms', text_of(now_ms), 'product', product, 'balance_fen', balances[1] }
if fee_fen > 0 then
    entry[#entry + 1] = 'fee_fen'
    entry[#entry + 1] = text_of(fee_fen)
end
redis.call('XADD', journal, '*', unpack(entry))
return { 'done', came_of_it }
