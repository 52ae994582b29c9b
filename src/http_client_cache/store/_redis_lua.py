"""What the Lua scripts of the Redis store have in common, and what lies there under which name.

Each script is one atomic step, on the keys of one shard.

``P``, the first of ``KEYS``, begins the names of all keys of the shard:

- ``e:<key>``, a hash for each key. For each variant: ``m<variant>``, the deadline (milliseconds of
  UTC, or ``-``), the name of the chain (or ``-``), and what tells the body from others, its stored
  size, a full stop and when it arrived; ``r<variant>``, the record; ``b<variant>``, the body, if it
  lies in no chain. For an alias of that name: ``a``, the record; ``t``, the key that it leads to;
  ``u``, its deadline.
- ``c:<chain>``, a hash for each large body, with a field for each block; ``e``, the place of the
  entry that it was published with.
- ``i``, ``d``, ``x``, sorted sets of the places (key and variant) of all entries: in the order of
  the keys; by deadline; by expiry. ``a``, ``l``: the same for aliases, by key and by deadline.
- ``t:<key>``, the set of the aliases that lead to a key.
- ``k:<name>``, a lease; ``w``, their names by when they end.

**An entry, or alias, counts only while its place is in ``i``, or ``a``.** So whatever the server
evicts, the index is never without an entry that can still be served: what it names can be purged,
and what it does not name is absent. What is not of its type, or cannot be read, is absent, too, and
makes room for what is saved.
"""

from __future__ import annotations

from typing import Final

from http_client_cache.store._blocks import READER_SECONDS

NEVER: Final = 9_000_000_000_000_000
"""The deadline of what never leaves, as a score."""

STRAYS: Final = 8
"""Entries, and aliases, whose time is up and that go with each change: more than arise."""

PLACES: Final = r"""
local escapes = {['\0'] = '\1\1', ['\1'] = '\1\2'}
local function escape(text) return (string.gsub(text, '[%z\1]', escapes)) end
"""

COMMON: Final = (
    "--!df flags=allow-undeclared-keys\n"
    r"""
local P, NOW = KEYS[1], tonumber(ARGV[1])
local I, D, X, A, L, W = P..'i', P..'d', P..'x', P..'a', P..'l', P..'w'
local call, try = redis.call, redis.pcall
"""
    + PLACES
    + r"""
local originals = {['\1'] = '\0', ['\2'] = '\1'}
local function unescape(text) return (string.gsub(text, '\1(.)', originals)) end
local function place_of(key, variant) return escape(key)..'\0'..escape(variant) end
local function parts_of(place)
  local at = string.find(place, '\0', 1, true) or #place + 1
  return unescape(string.sub(place, 1, at - 1)), unescape(string.sub(place, at + 1))
end
local function whole(number) return string.format('%.0f', number) end
local function number_of(text) return string.match(text, '^%-?%d+$') and tonumber(text) end
local function told(meta)
  local deadline, chain, body = string.match(meta, '^(%S+) ([%x-]+) (%d+%.%S+)$')
  if deadline == '-' or deadline and number_of(deadline) then return deadline, chain, body end
end

-- What is no hash has no fields.
local function field(name, of)
  local value = try('HGET', name, of)
  return type(value) == 'string' and value
end
local function fields(name)
  local names = try('HKEYS', name)
  return names.err and {} or names
end
local function mend(name, kind)
  local is = call('TYPE', name).ok
  if is ~= kind and is ~= 'none' then call('UNLINK', name) end
end

-- Lets a key leave by itself, or not.
local function until_then(name, deadline)
  if deadline == '-' or tonumber(deadline) >= NEVER then
    call('PERSIST', name)
  else
    call('PEXPIRE', name, whole(math.max(1, tonumber(deadline) - NOW)))
  end
end

-- A chain that no entry names any more is still read by those who have begun to.
local function release(chain)
  local name = P..'c:'..chain
  local left = call('PTTL', name)
  if left == -1 or left > READER then call('PEXPIRE', name, READER) end
end

-- Who has been told of a chain can read it, however soon its entry leaves.
local function keep(chain, deadline)
  if deadline ~= '-' then deadline = whole(math.max(tonumber(deadline), NOW + READER)) end
  until_then(P..'c:'..chain, deadline)
end

-- Until when the hash of a key is needed; nil if it is empty.
local function latest(e)
  local found
  for _, name in ipairs(fields(e)) do
    local value
    if string.byte(name) == 109 then value = told(call('HGET', e, name)) end
    if name == 'u' then value = call('HGET', e, name) end
    if value == '-' then return '-' end
    local number = value and number_of(value)
    if number then found = math.max(found or 0, number) end
  end
  return found and whole(found)
end

local function settle(e)
  local deadline = latest(e)
  if deadline then until_then(e, deadline) end
  return deadline
end

local function is_there(key, variant, place)
  local meta = field(P..'e:'..key, 'm'..variant)
  local deadline = meta and told(meta)
  if not deadline or not call('ZSCORE', I, place) then return nil end
  if deadline ~= '-' and tonumber(deadline) <= NOW then return nil end
  return meta
end

local function has_entry(key)
  for _, name in ipairs(fields(P..'e:'..key)) do
    if string.byte(name) == 109 then
      local variant = string.sub(name, 2)
      if is_there(key, variant, place_of(key, variant)) then return true end
    end
  end
  return false
end

local function list(place, deadline, expires)
  call('ZADD', I, 0, place)
  call('ZADD', D, deadline == '-' and NEVER or deadline, place)
  if expires == '' then call('ZREM', X, place) else call('ZADD', X, expires, place) end
end

local function unlist(place)
  call('ZREM', D, place)
  call('ZREM', X, place)
  return call('ZREM', I, place) == 1
end

-- Removes an entry; whether it was there.
local function remove(key, variant)
  local e = P..'e:'..key
  local meta = field(e, 'm'..variant)
  if meta then
    local _, chain = told(meta)
    if chain and chain ~= '-' then release(chain) end
    call('HDEL', e, 'm'..variant, 'r'..variant, 'b'..variant)
  end
  return unlist(place_of(key, variant)) and meta and true or false
end

local function unlink(key)
  local e = P..'e:'..key
  local listed = call('ZREM', A, key) == 1
  call('ZREM', L, key)
  local target = field(e, 't')
  if target then try('SREM', P..'t:'..target, key) end
  local gone = try('HDEL', e, 'a', 't', 'u')
  return type(gone) == 'number' and gone > 0 and listed
end

-- Adds the aliases that lead to a key, and what is to become of them.
local function add_aliases(led, key, deadline)
  local t = P..'t:'..key
  mend(t, 'set')
  local names = call('SMEMBERS', t)
  for _, name in ipairs(names) do
    led[#led + 1] = name; led[#led + 1] = key; led[#led + 1] = deadline
  end
  if #names > 0 then
    if deadline == '' then call('DEL', t) else until_then(t, deadline) end
  end
end

-- Removes all that has a key's name; whether anything had.
local function wipe(key, led)
  local e, found = P..'e:'..key, false
  for _, name in ipairs(fields(e)) do
    if string.byte(name) == 109 and remove(key, string.sub(name, 2)) then found = true end
  end
  if unlink(key) then found = true end
  call('DEL', e)
  add_aliases(led, key, '')
  return found
end

-- What is left of keys after some of their variants have gone.
local function tidy(keys, led)
  for key in pairs(keys) do
    local e, entries = P..'e:'..key, false
    for _, name in ipairs(fields(e)) do
      if string.byte(name) == 109 then entries = true; break end
    end
    if not entries then add_aliases(led, key, '') end
    settle(e)
  end
end

local function retime(lead, ...)
  local last = call('ZREVRANGE', lead, 0, 0, 'WITHSCORES')[2]
  if last then
    until_then(lead, last)
    for _, name in ipairs({...}) do until_then(name, last) end
  end
end

-- Ends every change: a few of those whose time is up go, and the indexes leave with the last.
local function finish(led)
  local touched = {}
  for _, place in ipairs(call('ZRANGEBYSCORE', D, '-inf', NOW, 'LIMIT', 0, STRAYS)) do
    local key, variant = parts_of(place)
    remove(key, variant)
    touched[key] = true
  end
  tidy(touched, led)
  for _, key in ipairs(call('ZRANGEBYSCORE', L, '-inf', NOW, 'LIMIT', 0, STRAYS)) do
    unlink(key)
    settle(P..'e:'..key)
  end
  retime(D, I, X)
  retime(L, A)
end
""".replace("READER", str(int(READER_SECONDS * 1000)))
    .replace("STRAYS", str(STRAYS))
    .replace("NEVER", str(NEVER))
)

RANGES: Final = r"""
-- Keys that are the locator, and those that begin with it and a full stop.
local plain, escaped = ARGV[2], escape(ARGV[2])
local function ranges(limit)
  local places = call('ZRANGEBYLEX', I, '['..escaped..'\0', '('..escaped..'\1', 'LIMIT', 0, limit)
  local more = call('ZRANGEBYLEX', I, '['..escaped..'.', '('..escaped..'/', 'LIMIT', 0, limit)
  for _, place in ipairs(more) do places[#places + 1] = place end
  local aliases = call('ZRANGEBYLEX', A, '['..plain, '['..plain)
  more = call('ZRANGEBYLEX', A, '['..plain..'.', '('..plain..'/', 'LIMIT', 0, limit)
  for _, key in ipairs(more) do aliases[#aliases + 1] = key end
  return places, aliases
end
"""
