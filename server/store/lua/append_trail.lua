#!lua
-- append_trail.lua: append an event to an order's trail, once per event id (LT-6). The order is not touched (LT-5).
--
-- KEYS[1] trail   hash  order_id, viewer_id, room_id
-- KEYS[2] events  hash  event id -> step:occurred_at_ms:source:arrived_us, which is of the store's own clock
-- ARGV[1] event_id
-- ARGV[2] event       step:occurred_at_ms:source
-- ARGV[3] events_max  int  how many an order may have
-- Reply, always: { outcome, viewer_id, room_id, { event id, event, ... } }, with all events after the step
--   appended   it is there now
--   repeated   it was there; nothing was written
--   refused    the id stands for another event, or the trail is full; nothing was written
--   not_found  there is no trail of this order (and neither buyer, room nor events)

local trail, events = KEYS[1], KEYS[2]
local event_id, event, events_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

local order = redis.call('HMGET', trail, 'viewer_id', 'room_id')
if not order[1] then
  return { 'not_found', '', '', {} }
end

local function reply(outcome)
  return { outcome, order[1], order[2], redis.call('HGETALL', events) }
end

local known = redis.call('HGET', events, event_id)
if known then
  local same = known == event or string.sub(known, 1, #event + 1) == event .. ':'
  return reply(same and 'repeated' or 'refused')
end
if redis.call('HLEN', events) >= events_max then
  return reply('refused')
end
local time = redis.call('TIME')
redis.call('HSET', events, event_id, event .. ':' .. time[1] .. string.format('%06d', time[2]))
return reply('appended')
