#!lua
-- announce.lua: append a fact to a room's feed, once, when its time has come and the facts before it were published.
--
-- KEYS[1] clock   hash    origin_ms, started_ms, speed
-- KEYS[2] packet  hash    state, warmup_at_ms, grab_at_ms, claim_end_at_ms, given, share_count, edition, ended_at_ms
-- KEYS[3] room    hash    epoch, seq
-- KEYS[4] feed    stream  kind, packet_id, seq, at_ms, body
-- KEYS[5] cues    hash    cue id -> seq
-- ARGV[1] kind       warmup, open, sold_out, reopened, closed, voided or result
-- ARGV[2] packet_id
-- ARGV[3] body       JSON
-- ARGV[4] room_id
-- ARGV[5] edition    of which a warmup or a reopened speaks: one that is no longer the packet's is no fact; else ''
-- ARGV[6] bell       the pub/sub channel to ring
-- Reply, always: { outcome, seq }
--   announced  it got the number seq
--   already    it had the number seq; nothing was written
--   too_early  its time has not come by this clock (seq 0)
--   refused    it is no fact, or no longer one (seq 0)
--
-- Every process proposes every fact; the first wins. A winner's share may be the last one a moment before the opening
-- is published, so a sale that is not yet opened to the room is early, not wrong. A packet is sold out, and reopened, at most
-- once in each edition. One that was ended (KS-END-1) is closed at once if the room knows of it, and else never was.

local clock, packet, room, feed, cues = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local kind, packet_id, body, room_id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local FEED_LENGTH = 10000 -- far more than a viewer can miss and still want to hear one by one

local function published(what)
  return redis.call('HGET', cues, what .. ':' .. packet_id)
end

local function room_ms()
  local record = redis.call('HMGET', clock, 'origin_ms', 'started_ms', 'speed')
  local now = redis.call('TIME')
  local real_ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  return tonumber(record[1]) + (real_ms - tonumber(record[2])) * tonumber(record[3])
end

local terms = redis.call('HMGET', packet, 'state', 'warmup_at_ms', 'grab_at_ms', 'claim_end_at_ms', 'given', 'share_count',
  'edition', 'ended_at_ms')
local state, edition, ended = terms[1], terms[7], terms[8]
local cue = kind .. ':' .. packet_id
if kind == 'reopened' or (kind == 'sold_out' and edition and edition ~= '1') then
  cue = cue .. ':' .. (edition or '')
end
local starts_ms = { warmup = tonumber(terms[2]), open = tonumber(terms[3]), closed = tonumber(terms[4]) }
local now_ms = room_ms()

local function judge()
  if kind == 'voided' then
    return state == 'voided' and 'announced' or 'refused'
  end
  if state ~= 'launched' and state ~= 'settled' then
    return 'refused'
  end
  if (kind == 'warmup' or kind == 'reopened') and ARGV[5] ~= '' and ARGV[5] ~= edition then
    return 'refused'
  end
  if kind == 'reopened' then
    return state == 'launched' and published('warmup') and not published('closed') and 'announced' or 'refused'
  end
  if ended and kind ~= 'result' then
    return kind == 'closed' and published('warmup') and 'announced' or 'refused'
  end
  if kind == 'result' then
    return state == 'settled' and published('closed') and 'announced' or 'refused'
  end
  if kind == 'sold_out' then
    if tonumber(terms[5]) ~= tonumber(terms[6]) or published('closed') then
      return 'refused'
    end
    return published('open') and 'announced' or 'too_early'
  end
  if not starts_ms[kind] then
    return 'refused'
  end
  if now_ms < starts_ms[kind] then
    return 'too_early'
  end
  local before = { open = 'warmup', closed = 'open' }
  if before[kind] and not published(before[kind]) then
    return 'refused'
  end
  return 'announced'
end

local seq = redis.call('HGET', cues, cue)
if seq then
  return { 'already', tonumber(seq) }
end
local outcome = redis.call('HEXISTS', room, 'epoch') == 1 and judge() or 'refused'
if outcome ~= 'announced' then
  return { outcome, 0 }
end
redis.call('XLEN', feed) -- a feed that is none fails here, before the first write

local number = redis.call('HINCRBY', room, 'seq', 1)
redis.call('HSET', cues, cue, number)
redis.call('XADD', feed, 'MAXLEN', '~', FEED_LENGTH, '*', 'kind', kind, 'packet_id', packet_id,
  'seq', number, 'at_ms', string.format('%.0f', now_ms), 'body', body)
redis.pcall('PUBLISH', ARGV[6], room_id) -- the fact is written; a bell that is not heard costs a poll
return { 'announced', number }
