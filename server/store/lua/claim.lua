#!lua
-- claim.lua: answer a batch of grabs for one packet: a share to each new viewer, its own to each that has one.
--
-- KEYS[1] clock    hash    origin_ms, started_ms, speed
-- KEYS[2] packet   hash    state, room_id, schedule, edition, open_edition, claimable_at_ms, given, given_fen
-- KEYS[3] shares   list    fen not yet given, the next one first
-- KEYS[4] claims   hash    viewer_id -> index:amount_fen:edition:request_id
-- KEYS[5] journal  stream  one entry per batch that gave something
-- KEYS[6] added    list    fen that an edit has added, to be given after those from claimable_at_ms on
-- KEYS[7] owners   list    viewer_id:claimed_at_ms of each share given, in order: what expires goes along it
-- ARGV[1] grabs    text    viewer_id,request_id; viewer_id,request_id; ... without blanks: 1 to 500 of them. One text,
--                          because a thousand arguments cost their sender two microseconds a grab
-- ARGV[2] count    int     how many grabs these are; an id that holds a separator makes another number
-- ARGV[3] room_id  text    the room whose connections grab
-- Reply, always: { edition, at_ms, remaining, codes, value ... }: codes has one letter per grab (g granted,
-- r repeated, x exhausted, e too_early, l too_late, v voided, n not_found); then the stored claim for each g or r.
-- Whoever grabs in another room than the packet's hears what is said of a packet that is not there (AMB-46).
--
-- A share is given from the opening until before the end of the window, while one is left, once per viewer (ALL-CLM-1,
-- DY-CLM-2). All of it is one step, and the journal's entry is of that step (ALL-CLM-3).
-- The shares sum to the escrow by construction, so this script cannot over-issue: it does no arithmetic that decides.
-- A repeat is answered before state and window are looked at, so that a winner who asks again is never told that it
-- lost. Losers write nothing. An index is the running number of the claim, counted by given. Added shares whose time has
-- not come are not there yet: neither as shares nor as remaining, and the edition is the one before.

local PAIRS_MAX = 500

local packet, shares, claims, journal, added, owners = KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local viewers, requests, pairs_asked, read = {}, {}, 0, 0
for viewer, request in string.gmatch(ARGV[1], '([%w_.~-]+),([%w_.~-]+);') do
    pairs_asked = pairs_asked + 1
    viewers[pairs_asked], requests[pairs_asked] = viewer, request
    read = read + #viewer + #request + 2
end
if #ARGV ~= 3 or read ~= #ARGV[1] or pairs_asked ~= tonumber(ARGV[2]) then error({ err = 'BROKEN id' }) end
if pairs_asked == 0 or pairs_asked > PAIRS_MAX then error({ err = 'BROKEN number of grabs' }) end

local record = redis.call('HMGET', packet, 'state', 'edition', 'grab_at_ms', 'claim_end_at_ms', 'given', 'given_fen',
    'claimable_at_ms', 'open_edition', 'room_id')
local state, launched_into = record[1], record[9]
if not state or (launched_into and launched_into ~= ARGV[3]) then
    return { 0, 0, 0, string.rep('n', pairs_asked) }
end

local given, given_fen = whole(record[5], 'packet'), whole(record[6], 'packet')
local at_ms = room_now_ms()
local added_wait = record[7] and at_ms < whole(record[7], 'packet')
local edition_text = added_wait and record[8] or record[2]
local edition = whole(edition_text, 'packet')
local packet_id = string.match(packet, ':packet:(.+)$')

local function refusal()
    if state == 'draft' then return 'e' end
    if state == 'voided' then return 'v' end
    if state == 'settled' then return 'l' end
    if state ~= 'launched' then error({ err = 'BROKEN packet' }) end
    if at_ms < whole(record[3], 'packet') then return 'e' end
    if at_ms >= whole(record[4], 'packet') then return 'l' end
    return nil
end

local in_shares = redis.call('LLEN', shares)
local remaining = in_shares + (added_wait and 0 or redis.call('LLEN', added))
local refused = refusal()
local held = redis.call('HMGET', claims, unpack(viewers))

-- Who is new, in order; a viewer who stands in the batch again repeats what its first grab gets.
local codes, owner, winners = {}, {}, {}
for i = 1, pairs_asked do
    local viewer = viewers[i]
    local first = owner[viewer]
    if held[i] or first then
        owner[viewer] = first or i
    elseif refused then
        codes[i] = refused
    elseif #winners < remaining then
        winners[#winners + 1] = i
        owner[viewer] = i
    else
        codes[i] = 'x'
    end
end

local taken, stored, lines, owns = {}, {}, {}, {}
local sum_fen = 0
if #winners > 0 then
    taken = redis.call('LRANGE', shares, 0, #winners - 1)
    if #winners > in_shares then
        for _, fen in ipairs(redis.call('LRANGE', added, 0, #winners - in_shares - 1)) do taken[#taken + 1] = fen end
    end
    redis.call('XLEN', journal)
    local since = ':' .. text_of(at_ms)
    for n, i in ipairs(winners) do
        local viewer, request, index = viewers[i], requests[i], text_of(given + n - 1)
        sum_fen = sum_fen + whole(taken[n], 'shares')
        held[i] = index .. ':' .. taken[n] .. ':' .. edition_text .. ':' .. request
        stored[2 * n - 1], stored[2 * n] = viewer, held[i]
        owns[n] = viewer .. since
        lines[n] = viewer .. ',' .. index .. ',' .. taken[n] .. ',' .. request
    end
    whole(text_of(given_fen + sum_fen), 'packet')

    redis.call('RPUSH', owners, unpack(owns)) -- first: of another type it fails before anything is written
    redis.call('LPOP', shares, math.min(#winners, in_shares))
    if #winners > in_shares then redis.call('LPOP', added, #winners - in_shares) end
    redis.call('HSET', claims, unpack(stored))
    redis.call('HINCRBY', packet, 'given', #winners)
    redis.call('HINCRBY', packet, 'given_fen', text_of(sum_fen))
    redis.call('XADD', journal, '*', 'kind', 'claim', 'transfer_id', 'claim:' .. packet_id .. ':' .. text_of(given),
        'packet_id', packet_id, 'debit', 'escrow:' .. packet_id, 'credit', 'assets:' .. packet_id,
        'amount_fen', text_of(sum_fen), 'at_ms', text_of(at_ms),
        'claims', table.concat(lines, ';'), 'edition', edition_text)
end

local reply = { edition, at_ms, remaining - #winners, '' }
for i = 1, pairs_asked do
    if not codes[i] then
        local value = held[owner[viewers[i]]]
        codes[i] = string.match(value, ':([^:]*)$') == requests[i] and 'g' or 'r'
        reply[#reply + 1] = value
    end
end
reply[4] = table.concat(codes)
return reply
