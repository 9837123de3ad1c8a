#!lua
-- void.lua: end a packet for good; what nobody has claimed goes back to its creator (DY-VOI-1, DY-VOI-2, DY-REV-1).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] due        zset    launched packet id, by claim_end_at_ms
-- KEYS[6] packet     hash    state, schedule, counters
-- KEYS[7] shares     list    fen not yet given
-- KEYS[8] returned   list    the shares that go back: the list of shares under its final name
-- KEYS[9] added      list    fen that an edit has added behind them, which go back after them
-- KEYS[10] reversals  zset   money on its way back, by room time due
-- ARGV[1] packet_id    text
-- ARGV[2] creator_id   text
-- ARGV[3] transfer_id  text
-- ARGV[4] lead_ms      int   room milliseconds before the warm-up from which a launched packet may no longer be
--                            voided; '' allows it until the claim window closes
-- Reply, always: one word: done, repeated, transfer_conflict, not_found, voided, settled or too_late.
--
-- Claims stay as they are, so that what was claimed before stays usable (DY-VOI-3).

local transfers, packet, packet_id, transfer_id = KEYS[3], KEYS[6], ARGV[1], ARGV[3]

local asked = 'void:' .. packet_id
local known = earlier(transfers, transfer_id, asked)
if known then return known end

local record = redis.call('HMGET', packet, 'state', 'warmup_at_ms', 'claim_end_at_ms')
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

close_packet('void', transfer_id, 'voided', 'voided_at_ms', now_ms)
return 'done'
