#!lua
-- step_order.lua: commit one step of an order under one creator's tag, if all that it was decided on still holds.
--
-- KEYS[1] clock       hash    origin_ms, started_ms, speed
-- KEYS[2] transfers   hash    transfer id -> what was asked | the order's version then
-- KEYS[3] wallet      hash    reversing_fen
-- KEYS[4] journal     stream  one entry per step that moves money
-- KEYS[5] orders      zset    order id, by room time of creation
-- KEYS[6] orders_due  zset    order id, by when the sweeper looks at it next
-- KEYS[7] reversals   zset    key|packet_id|amount_fen, by when it arrives
-- KEYS[8] order       hash    the record; version counts its steps
-- KEYS[9] effects     hash    running totals of the creator
-- KEYS[10...]         four for each packet: packet (hash: counters of its shares by state), claims (hash: viewer_id ->
--                     index:amount_fen:edition:request_id), assets (hash: share index -> locked:<order>,
--                     redeemed:<order>, final:<order> or expired; none is available), effects (hash: its running
--                     totals)
-- ARGV[1] step  JSON, all values texts, '' for none: kind, transfer_id, asked, order_id, viewer_id, version (that the
--               order must have; 0 for none yet), from_ms, until_ms (room instants between which the step was decided),
--               created_at_ms (enters the order among the creator's), due_at_ms, amount_fen, postings,
--               record: { field, value ... }, reversals: { { member, due_at_ms, amount_fen } ... },
--               effects: { { field, number } ... },
--               packets: { { changes: { { index, face_fen, before, after } ... }, effects: as above } ... }
-- Reply, always: one word: done, repeated, transfer_conflict or raced (something has changed: decide again).
--
-- What a step does is decided in the core, by every rule of assets and orders; this script knows none of them. It lets
-- nobody's share into an order but the claim's owner's, with the face that was claimed.

local transfers, wallet, journal, orders, orders_due = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local reversals, order, effects = KEYS[7], KEYS[8], KEYS[9]
local step = cjson.decode(ARGV[1])
local version = whole(step.version, 'step')
local from_ms, due_at_ms = whole(step.from_ms, 'step'), step.due_at_ms
if #ARGV ~= 1 or #KEYS ~= 9 + 4 * #step.packets then error({ err = 'BROKEN step' }) end

if step.transfer_id ~= '' then
    local known = earlier(transfers, step.transfer_id, step.asked)
    if known then return known end
end
if whole(redis.call('HGET', order, 'version') or '0', 'order') ~= version then return 'raced' end
local now_ms = room_now_ms()
if now_ms < from_ms or (step.until_ms ~= '' and now_ms >= whole(step.until_ms, 'step')) then return 'raced' end

local function check_totals(key, gains)
    for _, gain in ipairs(gains) do
        local total = whole(redis.call('HGET', key, gain[1]) or '0', 'effects')
        whole(text_of(total + whole(gain[2], 'step')), 'effects')
    end
end

local COUNTED = { locked = true, redeemed = true, final = true, expired = true }
local counted = {}

local function check_change(keys_at, change, counts)
    local packet, claims, assets = KEYS[keys_at], KEYS[keys_at + 1], KEYS[keys_at + 2]
    local index, face_fen, before, after = change[1], whole(change[2], 'step'), change[3], change[4]
    if (redis.call('HGET', assets, index) or '') ~= before then return false end
    local claim, share = redis.call('HGET', claims, step.viewer_id), index .. ':' .. change[2] .. ':'
    if not claim or string.sub(claim, 1, #share) ~= share then return false end
    for sign, held in pairs({ [-1] = before, [1] = after }) do
        local state = string.match(held, '^%a*')
        if held ~= '' then
            if not COUNTED[state] then error({ err = 'BROKEN step' }) end
            for field, by in pairs({ [state] = sign, [state .. '_fen'] = sign * face_fen }) do
                local count = counts[field] or whole(redis.call('HGET', packet, field) or '0', 'packet')
                counts[field] = count + by
            end
        end
    end
    return true
end

for i, each in ipairs(step.packets) do
    local keys_at, counts = 10 + 4 * (i - 1), {}
    if redis.call('EXISTS', KEYS[keys_at]) == 0 then error({ err = 'BROKEN packet' }) end
    redis.call('HLEN', KEYS[keys_at])
    for _, change in ipairs(each.changes) do
        if not check_change(keys_at, change, counts) then return 'raced' end
    end
    for _, count in pairs(counts) do whole(text_of(count), 'packet') end
    check_totals(KEYS[keys_at + 3], each.effects)
    counted[i] = counts
end
check_totals(effects, step.effects)
local reversing_fen = whole(redis.call('HGET', wallet, 'reversing_fen') or '0', 'wallet')
for _, reversal in ipairs(step.reversals) do
    whole(reversal[2], 'step')
    reversing_fen = reversing_fen + whole(reversal[3], 'step')
end
whole(text_of(reversing_fen), 'wallet')
whole(step.amount_fen, 'step')
if step.created_at_ms ~= '' then whole(step.created_at_ms, 'step') end
if due_at_ms ~= '' then whole(due_at_ms, 'step') end
redis.call('ZCARD', orders)
redis.call('ZCARD', orders_due)
redis.call('ZCARD', reversals)
redis.call('XLEN', journal)

redis.call('HSET', order, 'version', text_of(version + 1), unpack(step.record))
if step.created_at_ms ~= '' then redis.call('ZADD', orders, step.created_at_ms, step.order_id) end
if due_at_ms ~= '' then
    redis.call('ZADD', orders_due, due_at_ms, step.order_id)
else
    redis.call('ZREM', orders_due, step.order_id)
end
for i, each in ipairs(step.packets) do
    local keys_at = 10 + 4 * (i - 1)
    for _, change in ipairs(each.changes) do
        if change[4] == '' then
            redis.call('HDEL', KEYS[keys_at + 2], change[1])
        else
            redis.call('HSET', KEYS[keys_at + 2], change[1], change[4])
        end
    end
    for field, count in pairs(counted[i]) do redis.call('HSET', KEYS[keys_at], field, text_of(count)) end
    for _, gain in ipairs(each.effects) do redis.call('HINCRBY', KEYS[keys_at + 3], gain[1], gain[2]) end
end
for _, gain in ipairs(step.effects) do redis.call('HINCRBY', effects, gain[1], gain[2]) end
for _, reversal in ipairs(step.reversals) do redis.call('ZADD', reversals, reversal[2], reversal[1]) end
if #step.reversals > 0 then redis.call('HSET', wallet, 'reversing_fen', text_of(reversing_fen)) end
if step.transfer_id ~= '' then
    redis.call('HSET', transfers, step.transfer_id, step.asked .. '|' .. text_of(version + 1))
end
if step.postings ~= '' then
    redis.call('XADD', journal, '*', 'kind', step.kind, 'transfer_id', step.transfer_id, 'order_id', step.order_id,
        'packet_id', '', 'debit', '', 'credit', '', 'amount_fen', step.amount_fen, 'at_ms', text_of(now_ms),
        'postings', step.postings)
end
return 'done'
