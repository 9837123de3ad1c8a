#!lua
-- order_due.lua: say when the sweeper looks at an order next, if nothing has happened to the order since.
--
-- KEYS[1] order       hash  version
-- KEYS[2] orders_due  zset  order id, by when the sweeper looks at it next
-- ARGV[1] order_id   text
-- ARGV[2] version    int   that the order must have
-- ARGV[3] due_at_ms  int   room instant, or '' for never
-- Reply, always: one word: done or raced.

local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[2] then return 'raced' end
if ARGV[3] == '' then
    redis.call('ZREM', KEYS[2], ARGV[1])
else
    redis.call('ZADD', KEYS[2], text_of(whole(ARGV[3], 'due_at_ms')), ARGV[1])
end
return 'done'
