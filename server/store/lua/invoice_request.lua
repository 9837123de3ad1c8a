#!lua
-- invoice_request.lua: record the invoice for the fees of a period that no earlier one overlaps (KS-ACC-3, AMB-57).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[3] invoices   zset    number:from_ms:to_ms of each invoice, by from_ms
-- KEYS[4] invoice    hash    written here
-- ARGV[1] transfer_id  text
-- ARGV[2] creator_id   text
-- ARGV[3] number       int   how many invoices there are, and one more
-- ARGV[4] from_ms      int   start of the period, room ms
-- ARGV[5] to_ms        int   its end
-- ARGV[6] fees         text  channel,recharges,credited_fen,fee_fen of each channel, joined by ;
-- Reply, always: { outcome, number }: outcome is done, repeated (number is the one made then), transfer_conflict,
-- invoice_overlaps (number is an earlier one's) or raced (another invoice was made meanwhile).

local transfers, invoices, invoice = KEYS[2], KEYS[3], KEYS[4]
local transfer_id, creator_id, number = ARGV[1], ARGV[2], whole(ARGV[3], 'number')
local from_ms, to_ms, now_ms = whole(ARGV[4], 'from_ms'), whole(ARGV[5], 'to_ms'), room_now_ms()
if from_ms >= to_ms then error({ err = 'BROKEN arguments' }) end

local asked = 'invoice:' .. text_of(from_ms) .. ':' .. text_of(to_ms)
local known, came_of_it = earlier(transfers, transfer_id, asked)
if known then return { known, came_of_it } end

-- Periods do not overlap: only the last of those that start before this one's end can reach into it.
local last = redis.call('ZREVRANGEBYSCORE', invoices, '(' .. text_of(to_ms), '-inf', 'LIMIT', 0, 1)[1]
if last then
    local other, ends_ms = string.match(last, '^(%d+):%d+:(%d+)$')
    if whole(ends_ms, 'invoices') > from_ms then return { 'invoice_overlaps', other } end
end
if redis.call('ZCARD', invoices) + 1 ~= number or redis.call('EXISTS', invoice) > 0 then return { 'raced', '' } end

redis.call('HSET', invoice, 'number', text_of(number), 'creator_id', creator_id, 'state', 'requested',
    'from_ms', text_of(from_ms), 'to_ms', text_of(to_ms), 'fees', ARGV[6], 'requested_at_ms', text_of(now_ms))
redis.call('ZADD', invoices, text_of(from_ms), text_of(number) .. ':' .. text_of(from_ms) .. ':' .. text_of(to_ms))
redis.call('HSET', transfers, transfer_id, asked .. '|' .. text_of(number))
return { 'done', text_of(number) }
