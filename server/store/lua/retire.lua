#!lua
-- retire.lua: drop packets that have been over for long, and replace the journal's prefix by an opening balance.
--
-- KEYS[1] packets    zset    packet id, by room time of creation
-- KEYS[2] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[3] journal    stream  one entry per movement of money
-- KEYS[4] opening    hash    what the dropped prefix amounts to: through_entry_id, the five balances, account:<name>;
--                            and retired:<packet_id> of each dropped packet whose end the journal still has
-- KEYS[5...]         packet (hash), shares (list), claims (hash), returned (list) and onair (zset of its room) of each
--                    packet to be dropped, in turn
-- ARGV[1] through_entry_id  text  the last journal entry to be dropped; '' drops none
-- ARGV[2] entries_max       int   how many entries there may be up to it
-- ARGV[3...] packet_id      text  the packets to be dropped
-- Reply, always: { outcome, packets dropped, entries dropped }: outcome is done, not_over (a packet can still move) or
-- not_retired (an entry belongs to a packet that stays); nothing was written unless it is done.
--
-- A packet that is not in KEYS[1] was dropped before, so asking again drops nothing twice. What winners hold is added
-- up in one account, assets:retired, and an account of nothing is left out: the opening does not grow with time. A
-- dropped transfer is forgotten: its id may stand for another one from then on.

local FEN_MAX = 9007199254740991
local FIRST, KEYS_EACH, FIRST_ID = 5, 5, 3
local COUNTED_AS = { recharge = 'recharged_fen', fund = 'spent_fen', claim = '', sweep = 'returned_fen',
    void = 'returned_fen' }
local BALANCES = { 'recharged_fen', 'returned_fen', 'withdrawn_fen', 'spent_fen' }

local function whole(text, what)
    local number = text and string.match(text, '^%-?%d+$') and tonumber(text)
    if not number or math.abs(number) > FEN_MAX then error({ err = 'BROKEN ' .. what }) end
    return number
end

local function text_of(number) return string.format('%.0f', number) end

local function named(flat)
    local fields = {}
    for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
    return fields
end

local packets, transfers, journal, opening = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local through, entries_max = ARGV[1], whole(ARGV[2], 'entries_max')
if #KEYS - FIRST + 1 ~= KEYS_EACH * (#ARGV - FIRST_ID + 1) then error({ err = 'BROKEN arguments' }) end

local going, gone = {}, {}
for i = FIRST_ID, #ARGV do
    local key = FIRST + KEYS_EACH * (i - FIRST_ID)
    local state = redis.call('HGET', KEYS[key], 'state')
    if state and state ~= 'settled' and state ~= 'voided' then return { 'not_over', 0, 0 } end
    redis.call('LLEN', KEYS[key + 1])
    redis.call('HLEN', KEYS[key + 2])
    redis.call('LLEN', KEYS[key + 3])
    redis.call('ZCARD', KEYS[key + 4])
    going[ARGV[i]] = true
    if state then gone[#gone + 1] = ARGV[i] end
end
redis.call('ZCARD', packets)
redis.call('HLEN', transfers)
redis.call('XLEN', journal)

local through_was = redis.call('HGET', opening, 'through_entry_id') or '0-0'
local moved, accounts, forgotten, ended, entries = {}, {}, {}, {}, {}
for _, name in ipairs(BALANCES) do moved[name] = whole(redis.call('HGET', opening, name) or '0', 'opening') end

local function add(account, fen)
    if string.match(account, '^assets:') then account = 'assets:retired' end
    local before = accounts[account] or whole(redis.call('HGET', opening, 'account:' .. account) or '0', 'opening')
    accounts[account] = whole(text_of(before + fen), 'opening')
end

if through ~= '' then
    entries = redis.call('XRANGE', journal, '-', through, 'COUNT', entries_max + 1)
    if #entries > entries_max then error({ err = 'BROKEN entries_max' }) end
end
for _, entry in ipairs(entries) do
    local fields = named(entry[2])
    local counted_as, packet_id = COUNTED_AS[fields.kind], fields.packet_id
    if not counted_as or not packet_id or not fields.debit or not fields.credit or not fields.transfer_id then
        error({ err = 'BROKEN journal' })
    end
    if packet_id ~= '' and not going[packet_id] and redis.call('ZSCORE', packets, packet_id) then
        return { 'not_retired', 0, 0 }
    end
    local fen = whole(fields.amount_fen, 'journal')
    if counted_as ~= '' then
        moved[counted_as] = whole(text_of(moved[counted_as] + fen), 'opening')
        forgotten[#forgotten + 1] = fields.transfer_id
    end
    if counted_as == 'returned_fen' then ended[#ended + 1] = 'retired:' .. packet_id end
    add(fields.debit, -fen)
    add(fields.credit, fen)
end
if #gone == 0 and #entries == 0 then return { 'done', 0, 0 } end
local last = #entries > 0 and entries[#entries][1] or through_was
local available_fen = moved.recharged_fen + moved.returned_fen - moved.withdrawn_fen - moved.spent_fen
local wanted, emptied = { 'through_entry_id', last, 'available_fen', text_of(available_fen) }, {}
for _, name in ipairs(BALANCES) do wanted[#wanted + 1], wanted[#wanted + 2] = name, text_of(moved[name]) end
for _, packet_id in ipairs(gone) do wanted[#wanted + 1], wanted[#wanted + 2] = 'retired:' .. packet_id, '1' end
for account, fen in pairs(accounts) do
    if fen == 0 then
        emptied[#emptied + 1] = 'account:' .. account
    else
        wanted[#wanted + 1], wanted[#wanted + 2] = 'account:' .. account, text_of(fen)
    end
end

for i = FIRST_ID, #ARGV do
    local key = FIRST + KEYS_EACH * (i - FIRST_ID)
    redis.call('UNLINK', KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3])
    redis.call('ZREM', KEYS[key + 4], ARGV[i])
    redis.call('ZREM', packets, ARGV[i])
end
redis.call('HSET', opening, unpack(wanted))
if #emptied > 0 then redis.call('HDEL', opening, unpack(emptied)) end
if #ended > 0 then redis.call('HDEL', opening, unpack(ended)) end
if #forgotten > 0 then redis.call('HDEL', transfers, unpack(forgotten)) end
if #entries > 0 then
    local ms, seq = string.match(last, '^(%d+)%-(%d+)$')
    redis.call('XTRIM', journal, 'MINID', '=', ms .. '-' .. text_of(tonumber(seq) + 1))
end
return { 'done', #gone, #entries }
