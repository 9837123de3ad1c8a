#!lua
-- end.lua: end a packet now, as if its claim window closed: what nobody has claimed goes back (KS-END-1, AMB-13).
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
-- KEYS[11] feed      stream  of the room of a launched packet: gets an entry that has every process look at it
-- ARGV[1] packet_id    text
-- ARGV[2] creator_id   text
-- ARGV[3] transfer_id  text
-- ARGV[4] room_id      text  of a launched packet; '' for a draft
-- ARGV[5] bell         text  the pub/sub channel to ring
-- Reply, always: one word: done, repeated, transfer_conflict, not_found, voided, settled, too_late (the claim window is
-- over) or raced (the packet was launched meanwhile).
--
-- Claims stay as they are, so that what was claimed before stays usable (AMB-13).

local FEED_LENGTH = 10000 -- as in announce.lua

local transfers, packet, packet_id, transfer_id, feed = KEYS[3], KEYS[6], ARGV[1], ARGV[3], KEYS[11]

local asked = 'end:' .. packet_id
local known = earlier(transfers, transfer_id, asked)
if known then return known end

local record = redis.call('HMGET', packet, 'state', 'claim_end_at_ms', 'room_id')
local state, now_ms = record[1], room_now_ms()
if not state then return 'not_found' end
if state == 'voided' or state == 'settled' then return state end
if state == 'launched' then
    if now_ms >= whole(record[2], 'packet') then return 'too_late' end
elseif state ~= 'draft' then
    error({ err = 'BROKEN packet' })
end
if (record[3] or '') ~= ARGV[4] then return 'raced' end
if state == 'launched' then redis.call('XLEN', feed) end

close_packet('end', transfer_id, 'settled', 'ended_at_ms', now_ms)
if state == 'launched' then
    redis.call('XADD', feed, 'MAXLEN', '~', FEED_LENGTH, '*', 'kind', 'changed', 'packet_id', packet_id,
        'seq', '0', 'at_ms', text_of(now_ms), 'body', '{}')
    redis.pcall('PUBLISH', ARGV[5], ARGV[4])
end
return 'done'
