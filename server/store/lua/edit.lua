#!lua
-- edit.lua: change how many shares a packet has: staged ones are added, or its last unclaimed ones go (KS-EDT-1, AMB-12).
--
-- KEYS[1] clock      hash    origin_ms, started_ms, speed
-- KEYS[2] wallet     hash    available_fen, spent_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] packet     hash    state, schedule, counters, edition, editions, open_edition, claimable_at_ms
-- KEYS[6] shares     list    fen not yet given, the next one first
-- KEYS[7] added      list    fen of an edit, to be given after those from claimable_at_ms on
-- KEYS[8] staging    list    fen to be added
-- KEYS[9] staged     hash    count, sum_fen, commitment
-- KEYS[10] stagings  zset    packet id, by when its staging began
-- KEYS[11] feed      stream  of the room of a launched packet: gets an entry that has every process look at it
-- KEYS[12] reversals  zset   money on its way back, by room time due
-- ARGV[1] transfer_id  text
-- ARGV[2] packet_id    text
-- ARGV[3] creator_id   text
-- ARGV[4] share_count  int   how many shares the packet is to have
-- ARGV[5] edition      int   on which edition the caller has decided
-- ARGV[6] room_id      text  '' for a draft
-- ARGV[7] bell         text  the pub/sub channel to ring
-- ARGV[8] added_fen    int   what the staged shares sum to; 0 if shares go
-- ARGV[9] commitment   text  of the staged shares; '' if shares go
-- ARGV[10] seed        text  of the staged shares, hexadecimal; '' if shares go
-- Reply, always: one word: done, repeated, transfer_conflict, not_found, voided, settled, too_late (the claim window is
-- over), edit_raced (decide again), below_claimed, unchanged, incomplete, insufficient_funds or too_much.
--
-- Added shares wait two real seconds, in which every process hears of them and forgets that the packet was empty; until
-- then grabs are answered in the edition before. Shares that go are the last ones, so whoever holds one keeps it. The
-- walk over lists is as long as what is trimmed, or as what a former edit added and nobody has claimed.

local WAIT_REAL_MS = 2000
local FEED_LENGTH = 10000 -- as in announce.lua
local CHUNK = 2000

local speed = whole(redis.call('HGET', KEYS[1], 'speed'), 'clock')

local wallet, transfers, journal, packet = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local shares, added, staging, staged, stagings, feed = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local transfer_id, packet_id, creator_id = ARGV[1], ARGV[2], ARGV[3]
if #ARGV ~= 10 then error({ err = 'BROKEN arguments' }) end
local wanted, added_fen = whole(ARGV[4], 'share_count'), whole(ARGV[8], 'added_fen')

local asked = 'edit:' .. packet_id .. ':' .. ARGV[4]
local known = earlier(transfers, transfer_id, asked)
if known then return known end

local record = redis.call('HMGET', packet, 'state', 'claim_end_at_ms', 'edition', 'share_count', 'total_fen', 'given',
    'given_fen', 'room_id', 'editions', 'claimable_at_ms', 'open_edition', 'commitment', 'seed', 'reversal_delay_ms')
local state, now_ms = record[1], room_now_ms()
if not state then return 'not_found' end
if state == 'voided' or state == 'settled' then return state end
if state ~= 'draft' and state ~= 'launched' then error({ err = 'BROKEN packet' }) end
if state == 'launched' and now_ms >= whole(record[2], 'packet') then return 'too_late' end
if record[3] ~= ARGV[5] or (record[8] or '') ~= ARGV[6] then return 'edit_raced' end
local edition, share_count, total_fen = whole(record[3], 'packet'), whole(record[4], 'packet'), whole(record[5], 'packet')
local given = whole(record[6], 'packet')
whole(record[7], 'packet')
if wanted < given then return 'below_claimed' end
if wanted == share_count then return 'unchanged' end

local up = wanted > share_count
local in_shares, in_added = redis.call('LLEN', shares), redis.call('LLEN', added)
if in_shares + in_added ~= share_count - given then error({ err = 'BROKEN shares' }) end
local waits = record[10] and now_ms < whole(record[10], 'packet')
local balances = redis.call('HMGET', wallet, 'available_fen', 'spent_fen', 'returned_fen')
for i = 1, 3 do balances[i] = whole(balances[i] or '0', 'wallet') end
redis.call('XLEN', journal)
redis.call('ZCARD', stagings)
if state == 'launched' then redis.call('XLEN', feed) end

-- What the last ones of a list sum to.
local function tail_fen(list, count)
    local sum = 0
    for last = count, 1, -CHUNK do
        for _, fen in ipairs(redis.call('LRANGE', list, -last, -math.max(1, last - CHUNK + 1))) do
            sum = sum + whole(fen, 'shares')
        end
    end
    return sum
end

local moved_fen, from_added, from_shares, carry_out = added_fen, 0, 0, nil
if up then
    local held = redis.call('HMGET', staged, 'count', 'sum_fen', 'commitment')
    if redis.call('LLEN', staging) ~= wanted - share_count or held[1] ~= text_of(wanted - share_count)
        or held[2] ~= ARGV[8] or held[3] ~= ARGV[9] then
        return 'incomplete'
    end
    if balances[1] < added_fen then return 'insufficient_funds' end
    if balances[2] + added_fen > FEN_MAX or total_fen + added_fen > FEN_MAX then return 'too_much' end
else
    from_added = math.min(in_added, share_count - wanted)
    from_shares = share_count - wanted - from_added
    moved_fen = tail_fen(added, from_added) + tail_fen(shares, from_shares)
    if moved_fen > total_fen then error({ err = 'BROKEN shares' }) end
    if math.max(balances[1], balances[3]) + moved_fen > FEN_MAX then return 'too_much' end
    local cause = 'trim:' .. packet_id .. ':' .. text_of(edition + 1)
    carry_out = plan_return(wallet, KEYS[12], creator_id, packet_id, cause, moved_fen, record[14], now_ms)
end
local editions = record[9] or table.concat({ '0', record[4], record[5], record[12], record[13] }, ',')
local first = up and share_count or wanted
local part = { text_of(first), up and text_of(wanted - share_count) or '0', up and ARGV[8] or '0', ARGV[9], ARGV[10] }

local escrow, entry = 'escrow:' .. packet_id, nil
local changes = { 'edition', text_of(edition + 1), 'share_count', ARGV[4],
    'editions', editions .. ';' .. table.concat(part, ',') }
if up then
    if in_added > 0 and not waits then -- a former edit's shares, whose time has come
        if in_shares == 0 then
            redis.call('RENAME', added, shares)
        else
            while redis.call('LLEN', added) > 0 do
                redis.call('RPUSH', shares, unpack(redis.call('LPOP', added, CHUNK)))
            end
        end
        in_added = 0
    end
    if in_added == 0 then
        redis.call('RENAME', staging, added)
    else
        while redis.call('LLEN', staging) > 0 do
            redis.call('RPUSH', added, unpack(redis.call('LPOP', staging, CHUNK)))
        end
    end
    redis.call('UNLINK', staged)
    redis.call('ZREM', stagings, packet_id)
    changes[#changes + 1], changes[#changes + 2] = 'total_fen', text_of(total_fen + moved_fen)
    if state == 'launched' then
        changes[#changes + 1], changes[#changes + 2] = 'open_edition', waits and record[11] or record[3]
        changes[#changes + 1], changes[#changes + 2] = 'claimable_at_ms',
            text_of(now_ms + WAIT_REAL_MS * math.max(1, speed))
    end
    redis.call('HSET', wallet, 'available_fen', text_of(balances[1] - moved_fen),
        'spent_fen', text_of(balances[2] + moved_fen))
    entry = { 'kind', 'edit', 'debit', 'funds:' .. creator_id, 'credit', escrow,
        'product', 'red_packet', 'balance_fen', text_of(balances[1] - moved_fen) }
else
    redis.call('LTRIM', added, 0, -from_added - 1)
    redis.call('LTRIM', shares, 0, -from_shares - 1)
    changes[#changes + 1], changes[#changes + 2] = 'total_fen', text_of(total_fen - moved_fen)
    if not waits or from_added == in_added then redis.call('HDEL', packet, 'open_edition', 'claimable_at_ms') end
    entry = carry_out()
    entry[#entry + 1], entry[#entry + 2], entry[#entry + 3], entry[#entry + 4] = 'kind', 'trim', 'debit', escrow
end
redis.call('HSET', packet, unpack(changes))
redis.call('HSET', transfers, transfer_id, asked .. '|' .. text_of(edition + 1))
redis.call('XADD', journal, '*', 'transfer_id', transfer_id, 'packet_id', packet_id,
    'amount_fen', text_of(moved_fen), 'at_ms', text_of(now_ms), 'edition', text_of(edition + 1), unpack(entry))
if state == 'launched' then
    redis.call('XADD', feed, 'MAXLEN', '~', FEED_LENGTH, '*', 'kind', 'changed', 'packet_id', packet_id, 'seq', '0',
        'at_ms', text_of(now_ms), 'body', '{}')
    redis.pcall('PUBLISH', ARGV[7], ARGV[6])
end
return 'done'
