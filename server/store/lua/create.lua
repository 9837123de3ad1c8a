#!lua
-- create.lua: make a packet of its staged shares and fund it whole, once per transfer id (DY-ACC-4, DY-ACC-6).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, spent_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] packets    zset    packet id, by room time of creation
-- KEYS[6] packet     hash    written here
-- KEYS[7] shares     list    fen not yet given, the next one first: the staging list under its final name
-- KEYS[8] staging    list    fen
-- KEYS[9] staged     hash    count, sum_fen, commitment
-- KEYS[10] stagings  zset    packet id, by when its staging began
-- ARGV[1] transfer_id  text
-- ARGV[2] packet_id    text
-- ARGV[3] creator_id   text
-- ARGV[4] commitment   text
-- ARGV[5] seed         text  hexadecimal
-- ARGV[6...13]         name, platform, allocator, denomination (text), share_count, total_fen, min_share_fen,
--                      max_share_fen (int)
-- ARGV[14...16]        use_start_at_ms, use_end_at_ms, use_for_ms (int or '')
-- ARGV[17] product_ids  text  joined by commas; '' for all goods. From 6 to 17 it is what the creator asked for
-- ARGV[18] reversal_delay_ms  int  the platform's
-- ARGV[19] capabilities  text  the allocator's, joined by commas
-- Reply, always: { outcome, packet_id }: outcome is done, repeated (packet_id is the one made then),
-- transfer_conflict, packet_taken, incomplete (count, sum or commitment of the staged shares is not the packet's),
-- recharge_required (there are no funds at all: DY-ELG-2, KS-ACC-1), insufficient_funds or too_much.

local wallet, transfers, journal, packets = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local packet, shares, staging, staged, stagings = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local transfer_id, packet_id, creator_id, commitment, seed = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if #ARGV ~= 19 then error({ err = 'BROKEN arguments' }) end
local share_count, total_fen = whole(ARGV[10], 'share_count'), whole(ARGV[11], 'total_fen')
whole(ARGV[18], 'reversal_delay_ms')
local use = { 'reversal_delay_ms', ARGV[18], 'capabilities', ARGV[19] }
for field, value in pairs({ use_start_at_ms = ARGV[14], use_end_at_ms = ARGV[15], use_for_ms = ARGV[16] }) do
    if value ~= '' then
        whole(value, field)
        use[#use + 1], use[#use + 2] = field, value
    end
end
if ARGV[17] ~= '' then use[#use + 1], use[#use + 2] = 'product_ids', ARGV[17] end

local asked = 'fund:' .. redis.sha1hex(table.concat(ARGV, '\n', 6, 17))
local known, made = earlier(transfers, transfer_id, asked)
if known then return { known, known == 'repeated' and made or packet_id } end

if redis.call('EXISTS', packet, shares) > 0 then return { 'packet_taken', packet_id } end
local held = redis.call('HMGET', staged, 'count', 'sum_fen', 'commitment')
if redis.call('LLEN', staging) ~= share_count or held[1] ~= ARGV[10] or held[2] ~= ARGV[11]
    or held[3] ~= commitment then
    return { 'incomplete', packet_id }
end
local balances = redis.call('HMGET', wallet, 'available_fen', 'spent_fen')
local available_fen, spent_fen = whole(balances[1] or '0', 'wallet'), whole(balances[2] or '0', 'wallet')
if available_fen == 0 then return { 'recharge_required', packet_id } end
if available_fen < total_fen then return { 'insufficient_funds', packet_id } end
if spent_fen + total_fen > FEN_MAX then return { 'too_much', packet_id } end
local now_ms = room_now_ms()
redis.call('XLEN', journal)
redis.call('ZCARD', packets)
redis.call('ZCARD', stagings)

redis.call('RENAME', staging, shares)
redis.call('UNLINK', staged)
redis.call('ZREM', stagings, packet_id)
redis.call('HSET', wallet, 'available_fen', text_of(available_fen - total_fen),
    'spent_fen', text_of(spent_fen + total_fen))
redis.call('HSET', packet, 'packet_id', packet_id, 'creator_id', creator_id, 'state', 'draft', 'edition', '1',
    'commitment', commitment, 'seed', seed, 'name', ARGV[6], 'platform', ARGV[7], 'allocator', ARGV[8],
    'denomination', ARGV[9], 'share_count', ARGV[10], 'total_fen', ARGV[11], 'min_share_fen', ARGV[12],
    'max_share_fen', ARGV[13], 'created_at_ms', text_of(now_ms),
    'given', '0', 'given_fen', '0', 'returned', '0', 'returned_fen', '0')
redis.call('HSET', packet, unpack(use))
redis.call('ZADD', packets, text_of(now_ms), packet_id)
redis.call('HSET', transfers, transfer_id, asked .. '|' .. packet_id)
redis.call('XADD', journal, '*', 'kind', 'fund', 'transfer_id', transfer_id, 'packet_id', packet_id,
    'debit', 'funds:' .. creator_id, 'credit', 'escrow:' .. packet_id,
    'amount_fen', text_of(total_fen), 'at_ms', text_of(now_ms),
    'product', 'red_packet', 'balance_fen', text_of(available_fen - total_fen))
return { 'done', packet_id }
