#!lua
-- sweep.lua: settle a packet whose claim window is over: what nobody has claimed goes back to its creator (DY-REV-2).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] due        zset    launched packet id, by claim_end_at_ms
-- KEYS[6] packet     hash    state, claim_end_at_ms, counters
-- KEYS[7] shares     list    fen not yet given
-- KEYS[8] returned   list    the shares that go back: the list of shares under its final name
-- KEYS[9] added      list    fen that an edit has added behind them, which go back after them
-- KEYS[10] reversals  zset   money on its way back, by room time due
-- ARGV[1] packet_id   text
-- ARGV[2] creator_id  text
-- Reply, always: one word: done, repeated, not_due (or no longer) or not_found.

local transfers, packet, packet_id = KEYS[3], KEYS[6], ARGV[1]
local transfer_id = 'sweep:' .. packet_id

local record = redis.call('HMGET', packet, 'state', 'claim_end_at_ms')
if not record[1] then return 'not_found' end
if redis.call('HGET', transfers, transfer_id) or record[1] == 'settled' then return 'repeated' end
local now_ms = room_now_ms()
if record[1] ~= 'launched' or now_ms < whole(record[2], 'packet') then return 'not_due' end

close_packet('sweep', transfer_id, 'settled', 'settled_at_ms', now_ms)
return 'done'
