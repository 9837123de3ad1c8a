#!lua
-- launch.lua: launch a draft into a room: it gets its schedule, and the room's feed says so (DY-LAU-1, DY-LAU-2).
--
-- KEYS[1] clock   hash    origin_ms, started_ms, speed
-- KEYS[2] wallet  hash    of the room's creator: launches, how often anybody has launched into its rooms
-- KEYS[3] packet  hash    state, capabilities, use validity; gets room_id, host_id, surface and the schedule
-- KEYS[4] due     zset    launched packet id, by claim_end_at_ms
-- KEYS[5] feed    stream  kind, packet_id, seq, at_ms, body
-- KEYS[6] onair   zset    packets launched into the room, by warmup_at_ms
-- KEYS[7] expiring  zset  packet id, by when the next of its shares expire
-- ARGV[1] packet_id        text
-- ARGV[2] room_id          text
-- ARGV[3] warmup_at_ms     int
-- ARGV[4] grab_at_ms       int
-- ARGV[5] claim_end_at_ms  int
-- ARGV[6] surface          text  popup or asset_widget
-- ARGV[7] seen             int   the count of launches on which the decision was made
-- ARGV[8] body             text  JSON of the feed entry
-- ARGV[9] bell             text  the pub/sub channel to ring
-- ARGV[10] launch_id       text  whose launch this is, for who asks again
-- ARGV[11] host_id         text  the creator whose room it is; wallet, feed and onair carry its tag
-- ARGV[12] launch_mode     text
-- ARGV[13] entrances       text  from which goods must have come, joined by commas; '' for any
-- ARGV[14] creator_name    text  as viewers see it
-- Reply, always: one word: launched, not_found, not_draft, launch_raced or too_late.
--
-- A packet launched by hand opens at the instant of the decision, which has passed when it comes here: the way may
-- take a second of real time.

local FEED_LENGTH = 10000 -- as in announce.lua
local WAY_REAL_MS = 1000

local wallet, packet, due, feed, onair, expiring = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local packet_id, room_id = ARGV[1], ARGV[2]
local warmup_at_ms, grab_at_ms = whole(ARGV[3], 'warmup_at_ms'), whole(ARGV[4], 'grab_at_ms')
local claim_end_at_ms, seen = whole(ARGV[5], 'claim_end_at_ms'), whole(ARGV[7], 'seen')
if #ARGV ~= 14 or warmup_at_ms > grab_at_ms or grab_at_ms >= claim_end_at_ms then
    error({ err = 'BROKEN schedule' })
end

local record = redis.call('HMGET', packet, 'state', 'capabilities', 'use_end_at_ms', 'use_for_ms')
local state = record[1]
if not state then return 'not_found' end
if state ~= 'draft' then return 'not_draft' end
local launches = whole(redis.call('HGET', wallet, 'launches') or '0', 'wallet')
if launches ~= seen then return 'launch_raced' end
local now_ms = room_now_ms()
local speed = whole(redis.call('HGET', KEYS[1], 'speed'), 'clock')
if now_ms > grab_at_ms + WAY_REAL_MS * speed then return 'too_late' end
local expires_at_ms = record[3] and whole(record[3], 'packet')
if record[4] then expires_at_ms = whole(text_of(grab_at_ms + whole(record[4], 'packet')), 'packet') end
redis.call('ZCARD', expiring)
redis.call('ZCARD', due)
redis.call('ZCARD', onair)
redis.call('XLEN', feed)

redis.call('HSET', packet, 'state', 'launched', 'room_id', room_id, 'host_id', ARGV[11], 'surface', ARGV[6],
    'warmup_at_ms', text_of(warmup_at_ms), 'grab_at_ms', text_of(grab_at_ms),
    'claim_end_at_ms', text_of(claim_end_at_ms), 'launched_at_ms', text_of(now_ms), 'launch_id', ARGV[10],
    'launch_mode', ARGV[12], 'entrances', ARGV[13], 'creator_name', ARGV[14])
redis.call('HSET', wallet, 'launches', text_of(launches + 1))
redis.call('ZADD', due, text_of(claim_end_at_ms), packet_id)
local keeps_owners = not record[2] or string.find(record[2], 'keeps_owners', 1, true)
if expires_at_ms and keeps_owners then redis.call('ZADD', expiring, text_of(expires_at_ms), packet_id) end
redis.call('ZADD', onair, text_of(warmup_at_ms), packet_id)
redis.call('XADD', feed, 'MAXLEN', '~', FEED_LENGTH, '*', 'kind', 'launched', 'packet_id', packet_id, 'seq', '0',
    'at_ms', text_of(now_ms), 'body', ARGV[8])
redis.pcall('PUBLISH', ARGV[9], room_id) -- the launch is written; a bell that is not heard costs a poll
return 'launched'
