#!lua
-- returning.lua: how money goes back to its creator; put before the scripts that do it, and no script by itself.
--
-- KEYS[1] clock      hash    as in head.lua; these in scripts that close a packet:
-- KEYS[2] wallet     hash    available_fen, returned_fen, reversing_fen and the other balances
-- KEYS[3] transfers  hash    transfer id -> what was asked | what came of it
-- KEYS[4] journal    stream  one entry per movement of money
-- KEYS[5] due        zset    launched packet id, by claim_end_at_ms
-- KEYS[6] packet     hash    state, counters, reversal_delay_ms
-- KEYS[7] shares     list    fen not yet given
-- KEYS[8] returned   list    the shares that go back: the list of shares under its final name
-- KEYS[9] added      list    fen that an edit has added behind them, which go back after them
-- KEYS[10] reversals  zset   key|packet_id|amount_fen of what is on its way back, by room time due
-- ARGV[1] packet_id   text
-- ARGV[2] creator_id  text
-- Reply: none.

local RETURN_CHUNK = 2000

-- Validate that so much can go back, and return what writes it and says what the journal's entry says of it: at once
-- it is the creator's again, or, where the platform has a delay, for so long on its way (DY-REV-8).
local function plan_return(wallet, reversals, creator_id, packet_id, key, fen, delay, now_ms, product)
    local delay_ms = whole(delay or '0', 'packet')
    local balances = redis.call('HMGET', wallet, 'available_fen', 'returned_fen', 'reversing_fen')
    for i = 1, 3 do balances[i] = whole(text_of(whole(balances[i] or '0', 'wallet') + fen), 'wallet') end
    redis.call('ZCARD', reversals)
    return function()
        if delay_ms == 0 then
            redis.call('HSET', wallet, 'available_fen', text_of(balances[1]), 'returned_fen', text_of(balances[2]))
            return { 'credit', 'funds:' .. creator_id, 'product', product or 'red_packet',
                'balance_fen', text_of(balances[1]) }
        end
        if fen > 0 then
            redis.call('HSET', wallet, 'reversing_fen', text_of(balances[3]))
            redis.call('ZADD', reversals, text_of(now_ms + delay_ms), key .. '|' .. packet_id .. '|' .. text_of(fen))
        end
        return { 'credit', 'reversing:' .. creator_id }
    end
end

-- Close a packet for good: what nobody has claimed goes back. An allocator may count the shares it gives without taking
-- them off the list; then the first ones are the given ones, and one that gave more than there was leaves nothing.
local function close_packet(kind, transfer_id, state, ended_field, now_ms)
    local journal, due, packet, shares, returned, added = KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
    local packet_id, cause = ARGV[1], kind .. ':' .. ARGV[1]
    local record = redis.call('HMGET', packet, 'share_count', 'total_fen', 'given', 'given_fen', 'reversal_delay_ms')
    local given = whole(record[3], 'packet')
    local rest_fen = math.max(0, whole(record[2], 'packet') - whole(record[4], 'packet'))
    local left, in_added = redis.call('LLEN', shares), redis.call('LLEN', added)
    left = math.min(left, math.max(0, whole(record[1], 'packet') - given))
    local carry_out = plan_return(KEYS[2], KEYS[10], ARGV[2], packet_id, cause, rest_fen, record[5], now_ms)
    if redis.call('LLEN', returned) > 0 then error({ err = 'BROKEN returned' }) end
    redis.call('XLEN', journal)
    redis.call('ZCARD', due)

    if left > 0 then
        redis.call('RENAME', shares, returned)
        redis.call('LTRIM', returned, -left, -1)
    else
        redis.call('UNLINK', shares)
    end
    if in_added > 0 and left == 0 then
        redis.call('RENAME', added, returned)
    else
        for _ = 1, in_added, RETURN_CHUNK do
            redis.call('RPUSH', returned, unpack(redis.call('LPOP', added, RETURN_CHUNK)))
        end
    end
    redis.call('HSET', packet, 'state', state, ended_field, text_of(now_ms),
        'returned', text_of(left + in_added), 'returned_fen', text_of(rest_fen))
    redis.call('ZREM', due, packet_id)
    redis.call('HSET', KEYS[3], transfer_id, cause .. '|' .. text_of(rest_fen))
    redis.call('XADD', journal, '*', 'kind', kind, 'transfer_id', transfer_id, 'packet_id', packet_id,
        'debit', 'escrow:' .. packet_id, 'amount_fen', text_of(rest_fen), 'at_ms', text_of(now_ms),
        unpack(carry_out()))
end
