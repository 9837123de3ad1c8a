#!lua
-- void.lua: end a packet for good; what nobody has claimed goes back to its creator (DY-VOI-1, DY-VOI-2, DY-REV-1).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, returned_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] due        zset    launched packet id, by claim_end_at_ms
-- KEYS[6] packet     hash    state, schedule, counters
-- KEYS[7] shares     list    fen not yet given
-- KEYS[8] returned   list    the shares that go back: the list of shares under its final name
-- KEYS[9] added      list    fen that an edit has added behind them, which go back after them
-- ARGV[1] packet_id    text
-- ARGV[2] creator_id   text
-- ARGV[3] transfer_id  text
-- ARGV[4] lead_ms      int   room milliseconds before the warm-up from which a launched packet may no longer be
--                            voided; '' allows it until the claim window closes
-- Reply, always: one word: done, repeated, transfer_conflict, not_found, voided, settled or too_late.
--
-- Claims stay as they are, so that what was claimed before stays usable (DY-VOI-3). Allocators other than the default
-- may count shares without popping them, as in sweep.lua.

local CHUNK = 2000

local wallet, transfers, journal, due = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local packet, shares, returned, added = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local packet_id, creator_id, transfer_id = ARGV[1], ARGV[2], ARGV[3]

local asked = 'void:' .. packet_id
local seen = redis.call('HGET', transfers, transfer_id)
if seen then
    local same = string.sub(seen, 1, #asked + 1) == asked .. '|'
    return same and 'repeated' or 'transfer_conflict'
end

local record = redis.call('HMGET', packet, 'state', 'warmup_at_ms', 'claim_end_at_ms', 'allocator', 'share_count',
    'total_fen', 'given', 'given_fen')
local state, now_ms = record[1], room_now_ms()
if not state then return 'not_found' end
if state == 'voided' or state == 'settled' then return state end
if state == 'launched' then
    local until_ms = whole(record[3], 'packet')
    if ARGV[4] ~= '' then until_ms = whole(record[2], 'packet') - whole(ARGV[4], 'lead_ms') end
    if now_ms >= until_ms then return 'too_late' end
elseif state ~= 'draft' then
    error({ err = 'BROKEN packet' })
end

local given = whole(record[7], 'packet')
local rest_fen = math.max(0, whole(record[6], 'packet') - whole(record[8], 'packet'))
local in_list, in_added = redis.call('LLEN', shares), redis.call('LLEN', added)
local left = in_list
if record[4] ~= 'default' then left = math.min(in_list, math.max(0, whole(record[5], 'packet') - given)) end
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
redis.call('HSET', packet, 'state', 'voided', 'voided_at_ms', text_of(now_ms),
    'returned', text_of(left + in_added), 'returned_fen', text_of(rest_fen))
redis.call('HSET', wallet, 'available_fen', text_of(available_fen), 'returned_fen', text_of(returned_fen))
redis.call('ZREM', due, packet_id)
redis.call('HSET', transfers, transfer_id, asked .. '|' .. text_of(rest_fen))
redis.call('XADD', journal, '*', 'kind', 'void', 'transfer_id', transfer_id, 'packet_id', packet_id,
    'debit', 'escrow:' .. packet_id, 'credit', 'funds:' .. creator_id,
    'amount_fen', text_of(rest_fen), 'at_ms', text_of(now_ms),
    'product', 'red_packet', 'balance_fen', text_of(available_fen))
return 'done'
