#!lua
-- sweep.lua: settle a packet whose claim window is over: what nobody has claimed goes back to its creator (DY-REV-2).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, returned_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] due        zset    launched packet id, by claim_end_at_ms
-- KEYS[6] packet     hash    state, claim_end_at_ms, counters
-- KEYS[7] shares     list    fen not yet given
-- KEYS[8] returned   list    the shares that go back: the list of shares under its final name
-- KEYS[9] added      list    fen that an edit has added behind them, which go back after them
-- ARGV[1] packet_id   text
-- ARGV[2] creator_id  text
-- Reply, always: one word: done, repeated, not_due (or no longer) or not_found.
--
-- An allocator other than the default may count the shares it gives without popping them; then the first ones are the
-- given ones, and one that gave more than there was leaves nothing to go back.

local CHUNK = 2000

local wallet, transfers, journal, due = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local packet, shares, returned, added = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local packet_id, creator_id = ARGV[1], ARGV[2]
local transfer_id = 'sweep:' .. packet_id

local record = redis.call('HMGET', packet, 'state', 'claim_end_at_ms', 'allocator', 'share_count', 'total_fen',
    'given', 'given_fen')
if not record[1] then return 'not_found' end
if redis.call('HGET', transfers, transfer_id) or record[1] == 'settled' then return 'repeated' end
local now_ms = room_now_ms()
if record[1] ~= 'launched' or now_ms < whole(record[2], 'packet') then return 'not_due' end

local given = whole(record[6], 'packet')
local rest_fen = math.max(0, whole(record[5], 'packet') - whole(record[7], 'packet'))
local in_list, in_added = redis.call('LLEN', shares), redis.call('LLEN', added)
local left = in_list
if record[3] ~= 'default' then left = math.min(in_list, math.max(0, whole(record[4], 'packet') - given)) end
local balances = redis.call('HMGET', wallet, 'available_fen', 'returned_fen')
local available_fen = whole(balances[1] or '0', 'wallet') + rest_fen
local returned_fen = whole(balances[2] or '0', 'wallet') + rest_fen
whole(text_of(math.max(available_fen, returned_fen)), 'wallet')
if redis.call('LLEN', returned) > 0 then error({ err = 'BROKEN returned' }) end
redis.call('XLEN', journal)
redis.call('ZCARD', due)

if left > 0 then
    redis.call('RENAME', shares, returned)
    redis.call('LTRIM', returned, -left, -1)
else
    redis.call('UNLINK', shares)
end
if in_added > 0 and left == 0 then
    redis.call('RENAME', added, returned)
else
    for _ = 1, in_added, CHUNK do redis.call('RPUSH', returned, unpack(redis.call('LPOP', added, CHUNK))) end
end
redis.call('HSET', packet, 'state', 'settled', 'returned', text_of(left + in_added), 'returned_fen', text_of(rest_fen))
redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'returned_fen', text_of(returned_fen))
redis.call('ZREM', due, packet_id)
redis.call('HSET', transfers, transfer_id, 'sweep:' .. packet_id .. '|' .. text_of(rest_fen))
redis.call('XADD', journal, '*', 'kind', 'sweep', 'transfer_id', transfer_id, 'packet_id', packet_id,
    'debit', 'escrow:' .. packet_id, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(rest_fen), 'at_ms', text_of(now_ms),
    'product', 'red_packet', 'balance_fen', text_of(available_fen))
return 'done'
