#!lua
-- record_claims.lua: write into the books what an allocator has given by itself; it checks nothing but that it can.
--
-- KEYS[1] packet   hash    state, edition, given, given_fen
-- KEYS[2] claims   hash    viewer_id -> index:amount_fen:edition:request_id
-- KEYS[3] journal  stream  one entry per call that wrote something
-- ARGV[1] packet_id  text
-- ARGV[2] at_ms      int   the room time at which the allocator had decided
-- ARGV[3] shares     text  viewer_id,index,amount_fen,edition,request_id; ... without blanks
-- ARGV[4] count      int   how many shares these are
-- Reply, always: one letter per share: k in the books, l too late (the packet is settled), v voided, n no such packet.
--
-- What the books have already is not written again, so that an allocator may record a share as often as it likes. A
-- share given twice, a viewer's second one and a wrong amount are written down as they are: the audit judges them.

local packet, claims, journal = KEYS[1], KEYS[2], KEYS[3]
local rows = {}
local read = 0
for viewer, index, fen, edition, request in
    string.gmatch(ARGV[3], '([%w_.~-]+),(%d+),(%d+),(%d+),([%w_.~-]+);') do
    rows[#rows + 1] = { viewer, index, fen, edition, request }
    read = read + #viewer + #index + #fen + #edition + #request + 5
end
if #ARGV ~= 4 or read ~= #ARGV[3] or #rows ~= tonumber(ARGV[4]) or #rows == 0 then
    error({ err = 'BROKEN shares' })
end
local at_ms = whole(ARGV[2], 'at_ms')

local record = redis.call('HMGET', packet, 'state', 'edition', 'given', 'given_fen')
if not record[1] then return string.rep('n', #rows) end
local given, given_fen = whole(record[3], 'packet'), whole(record[4], 'packet')
local refused = record[1] == 'voided' and 'v' or record[1] ~= 'launched' and 'l' or nil
redis.call('XLEN', journal)

local codes, stored, lines, in_call = {}, {}, {}, {}
local sum_fen = 0
for i, row in ipairs(rows) do
    local viewer, index, fen, edition, request = unpack(row)
    local value = index .. ':' .. fen .. ':' .. edition .. ':' .. request
    if (in_call[viewer] or redis.call('HGET', claims, viewer)) == value then
        codes[i] = 'k'
    elseif refused then
        codes[i] = refused
    else
        codes[i], in_call[viewer] = 'k', value
        stored[#stored + 1], stored[#stored + 2] = viewer, value
        lines[#lines + 1] = viewer .. ',' .. index .. ',' .. fen .. ',' .. request
        sum_fen = sum_fen + whole(fen, 'amount_fen')
    end
end
if #lines > 0 then
    whole(text_of(given_fen + sum_fen), 'packet')
    redis.call('HSET', claims, unpack(stored))
    redis.call('HINCRBY', packet, 'given', #lines)
    redis.call('HINCRBY', packet, 'given_fen', text_of(sum_fen))
    redis.call('XADD', journal, '*', 'kind', 'claim', 'transfer_id', 'claim:' .. ARGV[1] .. ':' .. text_of(given),
        'packet_id', ARGV[1], 'debit', 'escrow:' .. ARGV[1], 'credit', 'assets:' .. ARGV[1],
        'amount_fen', text_of(sum_fen), 'at_ms', text_of(at_ms),
        'claims', table.concat(lines, ';'), 'edition', record[2])
end
return table.concat(codes)
