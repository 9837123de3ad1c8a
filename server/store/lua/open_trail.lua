#!lua
-- open_trail.lua: say whose order a trail follows, once.
--
-- KEYS[1] trail  hash  order_id, viewer_id, room_id
-- ARGV[1] order_id
-- ARGV[2] viewer_id  the buyer
-- ARGV[3] room_id    the live room in which it was ordered, or ''
-- Reply, always: { outcome }: opened, already (the same order of the same buyer and room), or taken

local trail = KEYS[1]

local known = redis.call('HMGET', trail, 'viewer_id', 'room_id')
if known[1] then
  return { known[1] == ARGV[2] and known[2] == ARGV[3] and 'already' or 'taken' }
end
redis.call('HSET', trail, 'order_id', ARGV[1], 'viewer_id', ARGV[2], 'room_id', ARGV[3])
return { 'opened' }
