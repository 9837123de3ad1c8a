#!lua
-- register_product.lua: register a product, or replace what is registered under its id.
--
-- KEYS[1] product   hash  product_id, title, goods, list_price_fen, creator_id
-- KEYS[2] products  zset  'creator_id/product_id', all with score 0: by creator and id
-- ARGV[1] product_id
-- ARGV[2] title
-- ARGV[3] goods
-- ARGV[4] list_price_fen  int or ''
-- ARGV[5] creator_id      text or ''
-- Reply, always: 'done'

local product, products, listed = KEYS[1], KEYS[2], ARGV[5] .. '/' .. ARGV[1]
local creator_was = redis.call('HGET', product, 'creator_id')
redis.call('ZCARD', products)

if creator_was and creator_was ~= ARGV[5] then redis.call('ZREM', products, creator_was .. '/' .. ARGV[1]) end
redis.call('ZADD', products, 0, listed)
redis.call('HSET', product, 'product_id', ARGV[1], 'title', ARGV[2], 'goods', ARGV[3], 'list_price_fen', ARGV[4],
    'creator_id', ARGV[5])
return 'done'
