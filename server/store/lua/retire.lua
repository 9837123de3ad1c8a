#!lua
-- retire.lua: drop packets that have been over for long, and replace the journal's prefix by an opening balance.
--
-- KEYS[1] expiring   zset    packet id, by room time at which its next shares expire
-- KEYS[2] packets    zset    packet id, by room time of creation
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] opening    hash    what the dropped prefix amounts to: through_entry_id, the five balances, account:<name>;
--                            and withdrawal:<id> of each withdrawal that was pending then, with its fen
-- KEYS[6] retired    zset    each dropped packet some of whose journal may be left, by the ms of the last entry then
-- KEYS[7...]         packet (hash), shares (list), claims (hash), returned (list), added (list), owners (list), assets
--                    (hash), effects (hash) and onair (zset of its room) of each packet to be dropped, in turn
-- ARGV[1] what              text  drop, or look: write nothing, and only say which packets can still move
-- ARGV[2] through_entry_id  text  the last journal entry to be dropped; '' drops none
-- ARGV[3] entries_max       int   how many entries there may be up to it
-- ARGV[4...] packet_id      text  the packets to be dropped
-- Reply, always: { outcome, packets dropped, entries dropped, packets that can still move ... }: outcome is looked, done,
-- not_over (a packet can still move) or not_retired (an entry names a packet that stays); nothing was written unless it
-- is done.
--
-- A packet that is not in KEYS[2] was dropped before, so asking again drops nothing twice. An account of a dropped
-- packet is one with that of all others, such as assets:retired, and an account of nothing is left out: the opening does
-- not grow with time. A dropped transfer is forgotten: its id may stand for another one from then on.

local FIRST, KEYS_EACH, FIRST_ID = 7, 9, 4
-- Which balance a movement of each kind counts for when it touches the funds; '' must not touch them.
local COUNTED_AS = {
    recharge = 'recharged_fen', fund = 'spent_fen', edit = 'spent_fen', claim = '',
    sweep = 'returned_fen', void = 'returned_fen', trim = 'returned_fen', ['end'] = 'returned_fen',
    coupon_fund = 'spent_fen', coupon_return = 'returned_fen',
    withdraw = 'withdrawn_fen', withdraw_paid = '', withdraw_failed = 'withdrawn_fen',
    expire = 'returned_fen', reverse = 'returned_fen',
    submit = '', pay = '', cancel = '', refund = '', finish = '', hold = '', follow = '',
}
local BALANCES = { 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen' }
local OUT_OF_FUNDS = { withdrawn_fen = true, spent_fen = true }

local expiring, packets, transfers, journal, opening, retired = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local what, through, entries_max = ARGV[1], ARGV[2], whole(ARGV[3], 'entries_max')
if #KEYS - FIRST + 1 ~= KEYS_EACH * (#ARGV - FIRST_ID + 1) then error({ err = 'BROKEN arguments' }) end
if what ~= 'look' and what ~= 'drop' then error({ err = 'BROKEN arguments' }) end

-- Return whether money of a packet can still move: it is not over, or a share that was given may yet pay for something or
-- go back: an order that is not final holds it, or it is neither expired nor of a final order.
local function can_move(packet)
    local record = redis.call('HMGET', packet, 'state', 'given_fen', 'locked', 'redeemed', 'expired_fen', 'final_fen')
    if record[1] ~= 'settled' and record[1] ~= 'voided' then return true end
    if whole(record[3] or '0', 'packet') > 0 or whole(record[4] or '0', 'packet') > 0 then return true end
    local done_fen = whole(record[5] or '0', 'packet') + whole(record[6] or '0', 'packet')
    return whole(record[2], 'packet') ~= done_fen
end

local function signed(text, name)
    local minus, digits = string.match(text, '^(%-?)(%d+)$')
    return (minus == '-' and -1 or 1) * whole(digits, name)
end

local function named(flat)
    local fields = {}
    for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
    return fields
end

-- Return what an entry moves, as debit, credit and fen each: its postings, or the one movement and the fee beside it.
local function movements_of(entry)
    if not entry.postings then
        if not entry.debit or not entry.credit then error({ err = 'BROKEN journal' }) end
        local moves = { { entry.debit, entry.credit, whole(entry.amount_fen, 'journal') } }
        local channel = string.match(entry.debit, ':(.*)$')
        if entry.fee_fen then moves[2] = { entry.debit, 'fees:' .. channel, whole(entry.fee_fen, 'journal') } end
        return moves
    end
    local moves, read = {}, entry.postings == '' and 1 or 0
    for debit, credit, fen in string.gmatch(entry.postings .. ';', '([^,;]+),([^,;]+),(%d+);') do
        moves[#moves + 1] = { debit, credit, whole(fen, 'journal') }
        read = read + #debit + #credit + #fen + 3
    end
    if read ~= #entry.postings + 1 then error({ err = 'BROKEN journal' }) end
    return moves
end

local going, gone, moving = {}, {}, {}
for i = FIRST_ID, #ARGV do
    local key = FIRST + KEYS_EACH * (i - FIRST_ID)
    local there = redis.call('EXISTS', KEYS[key]) == 1
    if there and can_move(KEYS[key]) then moving[#moving + 1] = ARGV[i] end
    redis.call('LLEN', KEYS[key + 1])
    redis.call('HLEN', KEYS[key + 2])
    redis.call('LLEN', KEYS[key + 3])
    redis.call('LLEN', KEYS[key + 4])
    redis.call('LLEN', KEYS[key + 5])
    redis.call('HLEN', KEYS[key + 6])
    redis.call('HLEN', KEYS[key + 7])
    redis.call('ZCARD', KEYS[key + 8])
    going[ARGV[i]] = true
    if there then gone[#gone + 1] = ARGV[i] end
end
if what == 'look' then return { 'looked', 0, 0, unpack(moving) } end
if #moving > 0 then return { 'not_over', 0, 0, unpack(moving) } end
redis.call('ZCARD', expiring)
redis.call('ZCARD', packets)
redis.call('HLEN', transfers)
redis.call('ZCARD', retired)
local through_was = redis.call('HGET', opening, 'through_entry_id') or '0-0'
local moved, accounts, pending, forgotten, entries = {}, {}, {}, {}, {}
for _, name in ipairs(BALANCES) do moved[name] = whole(redis.call('HGET', opening, name) or '0', 'opening') end

local function add(account, fen)
    local kind, owner = string.match(account, '^([^:]+):(.+)$')
    if not kind then error({ err = 'BROKEN journal' }) end
    if going[owner] or redis.call('ZSCORE', retired, owner) then account = kind .. ':retired' end
    local before = accounts[account] or signed(redis.call('HGET', opening, 'account:' .. account) or '0', 'opening')
    accounts[account] = signed(text_of(before + fen), 'opening')
end

local function stays(packet_id) return not going[packet_id] and redis.call('ZSCORE', packets, packet_id) end

if through ~= '' then
    entries = redis.call('XRANGE', journal, '-', through, 'COUNT', entries_max + 1)
    if #entries > entries_max then error({ err = 'BROKEN entries_max' }) end
end
for _, id_and_fields in ipairs(entries) do
    local entry, to_funds_fen = named(id_and_fields[2]), 0
    local counted_as = COUNTED_AS[entry.kind]
    if not counted_as or not entry.packet_id or not entry.transfer_id then error({ err = 'BROKEN journal' }) end
    if stays(entry.packet_id) then return { 'not_retired', 0, 0 } end
    for _, move in ipairs(movements_of(entry)) do
        local debit, credit, fen = move[1], move[2], move[3]
        if stays(string.match(debit, ':(.*)$') or '') or stays(string.match(credit, ':(.*)$') or '') then
            return { 'not_retired', 0, 0 }
        end
        add(debit, -fen)
        add(credit, fen)
        if string.match(debit, '^funds:') then to_funds_fen = to_funds_fen - fen end
        if string.match(credit, '^funds:') then to_funds_fen = to_funds_fen + fen end
    end
    if counted_as ~= '' then
        local fen = OUT_OF_FUNDS[counted_as] and -to_funds_fen or to_funds_fen
        moved[counted_as] = whole(text_of(moved[counted_as] + fen), 'opening')
    elseif to_funds_fen ~= 0 then
        error({ err = 'BROKEN journal' })
    end
    if entry.withdrawal_id then pending[entry.withdrawal_id] = entry.kind == 'withdraw' and entry.amount_fen or '' end
    forgotten[#forgotten + 1] = entry.transfer_id
end
if #gone == 0 and #entries == 0 then return { 'done', 0, 0 } end
local last = #entries > 0 and entries[#entries][1] or through_was
local newest = redis.call('XREVRANGE', journal, '+', '-', 'COUNT', 1)[1]
local next_left = redis.call('XRANGE', journal, '(' .. last, '+', 'COUNT', 1)[1]
local available_fen = whole(text_of(moved.recharged_fen + moved.returned_fen - moved.withdrawn_fen - moved.spent_fen),
    'opening')

for i = FIRST_ID, #ARGV do
    local key = FIRST + KEYS_EACH * (i - FIRST_ID)
    for k = key, key + KEYS_EACH - 2 do redis.call('UNLINK', KEYS[k]) end
    redis.call('ZREM', KEYS[key + 8], ARGV[i])
    redis.call('ZREM', packets, ARGV[i])
    redis.call('ZREM', expiring, ARGV[i])
end
redis.call('HSET', opening, 'through_entry_id', last, 'available_fen', text_of(available_fen))
for _, name in ipairs(BALANCES) do redis.call('HSET', opening, name, text_of(moved[name])) end
for account, fen in pairs(accounts) do
    if fen == 0 then
        redis.call('HDEL', opening, 'account:' .. account)
    else
        redis.call('HSET', opening, 'account:' .. account, text_of(fen))
    end
end
for withdrawal_id, fen in pairs(pending) do
    if fen == '' then
        redis.call('HDEL', opening, 'withdrawal:' .. withdrawal_id)
    else
        redis.call('HSET', opening, 'withdrawal:' .. withdrawal_id, fen)
    end
end
if #forgotten > 0 then redis.call('HDEL', transfers, unpack(forgotten)) end
-- Nothing of a packet comes into the journal once it is dropped: what is there by now is the last of it.
if next_left then
    for _, packet_id in ipairs(gone) do redis.call('ZADD', retired, string.match(newest[1], '^%d+'), packet_id) end
    redis.call('ZREMRANGEBYSCORE', retired, '-inf', '(' .. string.match(next_left[1], '^%d+'))
else
    redis.call('UNLINK', retired)
end
if #entries > 0 then
    local ms, seq = string.match(last, '^(%d+)%-(%d+)$')
    redis.call('XTRIM', journal, 'MINID', '=', ms .. '-' .. text_of(tonumber(seq) + 1))
end
return { 'done', #gone, #entries }
