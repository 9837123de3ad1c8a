#!lua
-- create_room.lua: open a room if it is new, and say what it is.
--
-- KEYS[1] room  hash  room_id, creator_id, title, epoch, seq
-- ARGV[1] room_id
-- ARGV[2] creator_id
-- ARGV[3] title
-- ARGV[4] epoch  a word of chance: the feed that begins now is no other
-- Reply, always: { title, epoch, seq }, of the room as it is

local room = KEYS[1]

if redis.call('HEXISTS', room, 'epoch') == 0 then
  redis.call('HSET', room, 'room_id', ARGV[1], 'creator_id', ARGV[2], 'title', ARGV[3], 'epoch', ARGV[4], 'seq', 0)
end
return redis.call('HMGET', room, 'title', 'epoch', 'seq')
