#!lua
-- stage.lua: take one chunk of a packet's shares on their way in, and keep their count and sum.
--
-- KEYS[1] staging   list  fen, in the order in which they will be given
-- KEYS[2] staged    hash  count, sum_fen, commitment
-- KEYS[3] stagings  zset  packet id, by the real millisecond at which its staging began
-- ARGV[1] packet_id      text
-- ARGV[2] commitment     text  whose shares these are: chunks of two splits never mix
-- ARGV[3] share_count    int   how many shares the packet has
-- ARGV[4] min_share_fen  int
-- ARGV[5] max_share_fen  int
-- ARGV[6] offset         int   how many were staged before; 0 starts again
-- ARGV[7...] shares      int   fen, at most 2,000 of them
-- Reply, always: { outcome, count }: outcome is staged, raced (another split or another position), too_many or
-- out_of_bounds; count is how many are staged now.

local FIRST = 7

local staging, staged, stagings = KEYS[1], KEYS[2], KEYS[3]
local packet_id, commitment = ARGV[1], ARGV[2]
local share_count = whole(ARGV[3], 'share_count')
local min_share_fen, max_share_fen = whole(ARGV[4], 'min_share_fen'), whole(ARGV[5], 'max_share_fen')
local offset = whole(ARGV[6], 'offset')

local held = redis.call('HMGET', staged, 'count', 'sum_fen', 'commitment')
local in_list = redis.call('LLEN', staging)
redis.call('ZCARD', stagings)
local count, sum_fen = 0, 0
if offset > 0 then
    count, sum_fen = whole(held[1] or '0', 'staged'), whole(held[2] or '0', 'staged')
    if held[3] ~= commitment or count ~= offset or in_list ~= count then return { 'raced', count } end
end
if #ARGV < FIRST or count + #ARGV - FIRST + 1 > share_count then return { 'too_many', count } end
for i = FIRST, #ARGV do
    local share_fen = whole(ARGV[i], 'share')
    if share_fen < min_share_fen or share_fen > max_share_fen then return { 'out_of_bounds', count } end
    sum_fen = sum_fen + share_fen
end
if sum_fen > FEN_MAX then return { 'out_of_bounds', count } end
count = count + #ARGV - FIRST + 1

if offset == 0 then
    local time = redis.call('TIME')
    redis.call('UNLINK', staging, staged)
    redis.call('ZADD', stagings, text_of(tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)), packet_id)
end
redis.call('RPUSH', staging, unpack(ARGV, FIRST))
redis.call('HSET', staged, 'count', text_of(count), 'sum_fen', text_of(sum_fen), 'commitment', commitment)
return { 'staged', count }
