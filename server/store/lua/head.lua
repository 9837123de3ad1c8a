#!lua
-- head.lua: what all scripts use; the connection puts it before each of them, and it is no script by itself.
--
-- KEYS[1] clock  hash  origin_ms, started_ms, speed; in every script that asks for the room time
-- Reply: none. Numbers are doubles: whole() refuses what is none or too large, text_of() writes large ones in full.
-- earlier() answers a transfer id that was seen: repeated and what came of it, or transfer_conflict.

local FEN_MAX = 9007199254740991

local function whole(text, what)
    local number = text and string.match(text, '^%d+$') and tonumber(text)
    if not number or number > FEN_MAX then error({ err = 'BROKEN ' .. what }) end
    return number
end

local function text_of(number) return string.format('%.0f', number) end

local function room_now_ms()
    local record = redis.call('HMGET', KEYS[1], 'origin_ms', 'started_ms', 'speed')
    local time = redis.call('TIME')
    local real_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local origin_ms, started_ms = whole(record[1], 'clock'), whole(record[2], 'clock')
    return origin_ms + (real_ms - started_ms) * whole(record[3], 'clock')
end

local function earlier(transfers, transfer_id, asked)
    local seen = redis.call('HGET', transfers, transfer_id)
    if not seen then return nil end
    if string.sub(seen, 1, #asked + 1) ~= asked .. '|' then return 'transfer_conflict', '' end
    return 'repeated', string.sub(seen, #asked + 2)
end
