#!lua
-- invoice_issue.lua: issue an invoice that was requested, once (KS-ACC-3, AMB-57).
--
-- KEYS[1] clock    hash  origin_ms, started_ms, speed
-- KEYS[2] invoice  hash  state
-- Reply, always: one word: done, repeated or not_found.

local invoice = KEYS[2]
local state = redis.call('HGET', invoice, 'state')
if not state then return 'not_found' end
if state == 'issued' then return 'repeated' end
if state ~= 'requested' then error({ err = 'BROKEN invoice' }) end
redis.call('HSET', invoice, 'state', 'issued', 'issued_at_ms', text_of(room_now_ms()))
return 'done'
