#!lua
-- expire.lua: what was claimed and not used in time goes back: at most 500 shares of a packet a call (DY-REV-3).
--
-- KEYS[1] clock     hash    origin_ms, started_ms, speed
-- KEYS[2] wallet    hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] journal   stream  one entry per movement of money
-- KEYS[4] packet    hash    state, claim_end_at_ms, use_end_at_ms or use_for_ms, given, expired_upto, expired, expired_fen
-- KEYS[5] claims    hash    viewer_id -> index:amount_fen:edition:request_id
-- KEYS[6] owners    list    viewer_id:claimed_at_ms of each share given, in order
-- KEYS[7] assets    hash    share index -> locked:<order>, redeemed:<order>, final:<order> or expired
-- KEYS[8] expiring  zset    packet id, by when the next of its shares expire
-- KEYS[9] reversals  zset   money on its way back, by room time due
-- ARGV[1] packet_id   text
-- ARGV[2] creator_id  text
-- Reply, always: how many shares were looked at; 0 if none is due now, -1 if there is no such packet.
--
-- The pointer expired_upto moves along the owners, so a share is looked at once, whoever calls and how often. What an
-- order holds then is passed over: the order gives it back itself when it lets go, as its validity is over (AMB-26).

local BATCH_MAX = 500

local journal, packet, claims, owners, assets, expiring = KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local packet_id, creator_id = ARGV[1], ARGV[2]

local record = redis.call('HMGET', packet, 'state', 'claim_end_at_ms', 'use_end_at_ms', 'use_for_ms', 'given',
    'expired_upto', 'expired', 'expired_fen', 'reversal_delay_ms')
if not record[1] then return -1 end
local now_ms, given = room_now_ms(), whole(record[5], 'packet')
local upto, expired = whole(record[6] or '0', 'packet'), whole(record[7] or '0', 'packet')
local expired_fen = whole(record[8] or '0', 'packet')
local use_end_at_ms, use_for_ms = record[3] and whole(record[3], 'packet'), record[4] and whole(record[4], 'packet')
redis.call('ZCARD', expiring)

-- Who owned the share and until when it may be used.
local function owned(line)
    local viewer, claimed_at_ms = string.match(line, '^([^:]+):(%d+)$')
    if not viewer then error({ err = 'BROKEN owners' }) end
    return viewer, use_end_at_ms or whole(claimed_at_ms, 'owners') + use_for_ms
end

-- When the next shares expire, of which the first is next_owner's; nil if no more will.
local function next_due_ms(next_owner)
    if next_owner then return (select(2, owned(next_owner))) end
    if record[1] == 'launched' and use_for_ms and now_ms < whole(record[2], 'packet') then
        return now_ms + use_for_ms -- nobody who claims from now on has less
    end
    return nil
end

local function move_on(due_ms)
    if due_ms then
        redis.call('ZADD', expiring, text_of(due_ms), packet_id)
    else
        redis.call('ZREM', expiring, packet_id)
    end
end

if not use_end_at_ms and not use_for_ms then
    move_on(nil)
    return 0
end
if use_end_at_ms and now_ms < use_end_at_ms then return 0 end
local lines = redis.call('LRANGE', owners, text_of(upto), text_of(upto + BATCH_MAX))
if #lines ~= math.min(given - upto, BATCH_MAX + 1) then error({ err = 'BROKEN owners' }) end
local viewers, indices = {}, {}
for n, line in ipairs(lines) do
    local viewer, until_ms = owned(line)
    if n > BATCH_MAX or now_ms < until_ms then break end
    viewers[n], indices[n] = viewer, text_of(upto + n - 1)
end
local count = #viewers
if count == 0 then
    move_on(next_due_ms(lines[1]))
    return 0
end

local held, stored = redis.call('HMGET', claims, unpack(viewers)), redis.call('HMGET', assets, unpack(indices))
local gone, sum_fen = {}, 0
for n = 1, count do
    local index, fen = string.match(held[n] or '', '^(%d+):(%d+):')
    if index ~= indices[n] then error({ err = 'BROKEN claims' }) end
    if not stored[n] then
        gone[#gone + 1], gone[#gone + 2] = index, 'expired'
        sum_fen = sum_fen + whole(fen, 'claims')
    end
end
local transfer_id = 'expire:' .. packet_id .. ':' .. text_of(upto)
local carry_out = plan_return(KEYS[2], KEYS[9], creator_id, packet_id, transfer_id, sum_fen, record[9], now_ms)
local due_ms = next_due_ms(lines[count + 1])
redis.call('XLEN', journal)

redis.call('HSET', packet, 'expired_upto', text_of(upto + count))
if #gone > 0 then
    redis.call('HSET', assets, unpack(gone))
    redis.call('HSET', packet, 'expired', text_of(expired + #gone / 2), 'expired_fen', text_of(expired_fen + sum_fen))
    redis.call('XADD', journal, '*', 'kind', 'expire', 'transfer_id', transfer_id, 'packet_id', packet_id,
        'debit', 'assets:' .. packet_id, 'amount_fen', text_of(sum_fen), 'at_ms', text_of(now_ms),
        'shares', text_of(#gone / 2), unpack(carry_out()))
end
move_on(due_ms)
return count
