#!lua
-- permitted.lua: say what the store's user may not do of what the server does; nothing is done.
--
-- ARGV[1] commands  text  names of commands that are used on keys, with blanks between
-- ARGV[2] channels  text  pub/sub channels, with blanks between
-- Reply, always: the refused commands, keys and channels, sorted as given; none if all is permitted

-- Each check has as many arguments as the command needs: the store itself relies on that when it looks for the keys.

local KEYS_OF_ALL_KINDS = { 'redrain:clock', '{redrain}:likes', '{creator}:wallet' }
local WITHOUT_KEYS = { EXEC = {}, INFO = {}, MULTI = {}, PING = {}, TIME = {}, EVAL = { 'return 1', '0' },
    EVALSHA = { string.rep('0', 40), '0' }, PUBLISH = false } -- which is checked by channel

local refused = {}
local function check(what, ...)
    if not redis.acl_check_cmd(...) then refused[#refused + 1] = what end
end

for name in string.gmatch(ARGV[1], '%S+') do
    local args = WITHOUT_KEYS[name]
    if args == nil then
        local key = KEYS_OF_ALL_KINDS[1] -- also where a command may take several
        check(name, name, key, key, key, key)
    elseif args then
        check(name, name, unpack(args))
    end
end
for _, key in ipairs(KEYS_OF_ALL_KINDS) do
    check('HSET ' .. key, 'HSET', key, '0', '0')
end
for channel in string.gmatch(ARGV[2], '%S+') do
    check('PUBLISH ' .. channel, 'PUBLISH', channel, '')
    check('SUBSCRIBE ' .. channel, 'SUBSCRIBE', channel)
end
return refused
