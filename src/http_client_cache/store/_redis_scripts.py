"""The Lua scripts of the Redis store. Each is one atomic step, on the keys of one shard.

``P``, the first of ``KEYS``, begins the names of all keys of the shard:

- ``e:<key>``, a hash for each key. For each variant: ``m<variant>``, the deadline (milliseconds of
  UTC, or ``-``), the name of the chain (or ``-``) and the stored size; ``r<variant>``, the record;
  ``b<variant>``, the body, unless it lies in a chain. For an alias of that name: ``a``, the record;
  ``t``, the key that it leads to; ``u``, its deadline.
- ``c:<chain>``, a hash for each large body, with a field for each block.
- ``i``, ``d``, ``x``, sorted sets of the places (key and variant) of all entries: in the order of
  the keys; by deadline; by expiry. ``a``, ``l``: the same for aliases, by key and by deadline.
- ``t:<key>``, the set of the aliases that lead to a key.
- ``k:<name>``, a lease; ``w``, their names by when they end.

**An entry, or alias, counts only while its place is in ``i``, or ``a``.** So whatever the server
evicts, the index is never without an entry that can still be served: what it names can be purged,
and what it does not name is absent.
"""

from __future__ import annotations

from typing import Final

from http_client_cache.redis_statements import Script
from http_client_cache.store._blocks import DRAFT_SECONDS, READER_SECONDS

NEVER: Final = 9_000_000_000_000_000
"""The deadline of what never leaves, as a score."""

STRAYS: Final = 8
"""Entries, and aliases, whose time is up and that go with each change: more than arise."""

MOST_REPLY_BYTES: Final = 4 * 1024 * 1024
"""Bodies in one page, about."""

_PLACES: Final = r"""
local escapes = {['\0'] = '\1\1', ['\1'] = '\1\2'}
local function escape(text) return (string.gsub(text, '[%z\1]', escapes)) end
"""

_COMMON: Final = (
    "--!df flags=allow-undeclared-keys\n"
    + r"""
local P, NOW = KEYS[1], tonumber(ARGV[1])
local I, D, X, A, L, W = P..'i', P..'d', P..'x', P..'a', P..'l', P..'w'
local call, try = redis.call, redis.pcall
"""
    + _PLACES
    + r"""
local originals = {['\1'] = '\0', ['\2'] = '\1'}
local function unescape(text) return (string.gsub(text, '\1(.)', originals)) end
local function place_of(key, variant) return escape(key)..'\0'..escape(variant) end
local function parts_of(place)
  local at = string.find(place, '\0', 1, true)
  return unescape(string.sub(place, 1, at - 1)), unescape(string.sub(place, at + 1))
end
local function whole(number) return string.format('%.0f', number) end
local function told(meta) return string.match(meta, '^(%S+) (%S+) (%S+)$') end

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

-- Until when the hash of a key is needed; nil if it is empty.
local function latest(e)
  local found
  for _, name in ipairs(call('HKEYS', e)) do
    local value
    if string.byte(name) == 109 then value = told(call('HGET', e, name)) end
    if name == 'u' then value = call('HGET', e, name) end
    if value == '-' then return '-' end
    if value then found = math.max(found or 0, tonumber(value)) end
  end
  return found and whole(found)
end

local function settle(e)
  local deadline = latest(e)
  if deadline then until_then(e, deadline) end
  return deadline
end

local function is_there(key, variant, place)
  local meta = call('HGET', P..'e:'..key, 'm'..variant)
  if not meta or not call('ZSCORE', I, place) then return nil end
  local deadline = told(meta)
  if deadline ~= '-' and tonumber(deadline) <= NOW then return nil end
  return meta
end

local function has_entry(key)
  for _, name in ipairs(call('HKEYS', P..'e:'..key)) do
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
  local meta = call('HGET', e, 'm'..variant)
  if meta then
    local _, chain = told(meta)
    if chain ~= '-' then release(chain) end
    call('HDEL', e, 'm'..variant, 'r'..variant, 'b'..variant)
  end
  return unlist(place_of(key, variant)) and meta and true or false
end

local function unlink(key)
  local listed = call('ZREM', A, key) == 1
  call('ZREM', L, key)
  return call('HDEL', P..'e:'..key, 'a', 't', 'u') > 0 and listed
end

-- Adds the aliases that lead to a key, and what is to become of them.
local function add_aliases(led, key, deadline)
  local t = P..'t:'..key
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
  for _, name in ipairs(call('HKEYS', e)) do
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
    for _, name in ipairs(call('HKEYS', e)) do
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

# What a request needs.

LOAD: Final = Script(
    _PLACES
    + r"""
local all = redis.call('HGETALL', KEYS[1])
local value_of, found = {}, {}
for n = 1, #all, 2 do value_of[all[n]] = all[n + 1] end
for n = 1, #all, 2 do
  local name = all[n]
  if string.byte(name) == 109 then
    local variant = string.sub(name, 2)
    if redis.call('ZSCORE', KEYS[2], ARGV[1]..escape(variant)) then
      found[#found + 1] = variant
      found[#found + 1] = all[n + 1]
      found[#found + 1] = value_of['r'..variant] or ''
      found[#found + 1] = value_of['b'..variant] or ''
    end
  end
end
if #found == 0 and ARGV[2] and value_of['a'] and redis.call('ZSCORE', KEYS[3], ARGV[2]) then
  return {value_of['a']}
end
return found
""",
    writes=False,
)
"""``KEYS``: the hash, ``i`` and ``a``. Answers four values for each variant, or an alias."""

SAVE: Final = Script(
    _COMMON
    + r"""
local key, variant, meta, record, body = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local expires, blocks = ARGV[7], tonumber(ARGV[8])
local e, deadline, chain = P..'e:'..key, told(meta)
if chain ~= '-' and call('HLEN', P..'c:'..chain) ~= blocks then return 0 end
local old = call('HGET', e, 'm'..variant)
if chain == '-' then
  call('HSET', e, 'r'..variant, record, 'm'..variant, meta, 'b'..variant, body)
else
  call('HSET', e, 'r'..variant, record, 'm'..variant, meta)
  call('HDEL', e, 'b'..variant)
  until_then(P..'c:'..chain, deadline)
end
if old then
  local _, former = told(old)
  if former ~= '-' and former ~= chain then release(former) end
end
list(place_of(key, variant), deadline, expires)
local led = {}
add_aliases(led, key, settle(e))
finish(led)
return led
""",
    writes=True,
)
"""Answers 0, with nothing done, if a block has gone; else aliases, see ``ALIASES``."""

FRESHEN: Final = Script(
    _COMMON
    + r"""
local led, count = {}, 0
for n = 2, #ARGV, 7 do
  local key, variant, stored, known, record = unpack(ARGV, n, n + 4)
  local deadline, expires = ARGV[n + 5], ARGV[n + 6]
  local e, place = P..'e:'..key, place_of(key, variant)
  local meta = is_there(key, variant, place)
  if meta then
    local _, chain, size = told(meta)
    if size == stored and (known == '' or call('HGET', e, 'r'..variant) == known) then
      call('HSET', e, 'r'..variant, record, 'm'..variant, deadline..' '..chain..' '..size)
      if chain ~= '-' then until_then(P..'c:'..chain, deadline) end
      list(place, deadline, expires)
      add_aliases(led, key, settle(e))
      count = count + 1
    end
  end
end
finish(led)
return {count, led}
""",
    writes=True,
)
"""Answers how many were there, and aliases, see ``ALIASES``."""

NOTE: Final = Script(
    _COMMON
    + r"""
local t, deadline = P..'t:'..ARGV[2], latest(P..'e:'..ARGV[2])
call('SADD', t, ARGV[3])
deadline = deadline or whole(NOW + DRAFT)
until_then(t, deadline)
return deadline
""".replace("DRAFT", str(int(DRAFT_SECONDS * 1000))),
    writes=True,
)
"""Note at a key that an alias leads to it. Answers until when the alias is needed."""

LINK: Final = Script(
    _COMMON
    + r"""
local key, target, record, deadline = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local e = P..'e:'..key
call('HSET', e, 'a', record, 't', target, 'u', deadline)
call('ZADD', A, 0, key)
call('ZADD', L, deadline == '-' and NEVER or deadline, key)
settle(e)
local led = {}
finish(led)
return led
""".replace("NEVER", str(NEVER)),
    writes=True,
)
"""Answers aliases, see ``ALIASES``."""

ALIASES: Final = Script(
    _COMMON
    + r"""
for n = 2, #ARGV, 3 do
  local key, target, deadline = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  local e = P..'e:'..key
  if call('HGET', e, 't') == target then
    if deadline == '' then
      unlink(key)
    else
      call('HSET', e, 'u', deadline)
      call('ZADD', L, deadline == '-' and NEVER or deadline, key)
    end
    settle(e)
  end
end
local led = {}
finish(led)
return led
""".replace("NEVER", str(NEVER)),
    writes=True,
)
"""Let aliases live as long as their targets; or remove them, where no deadline is given.

They come in threes, here as in what other scripts answer: alias, target, deadline.
"""

# What ends an entry.

DELETE: Final = Script(
    _COMMON
    + r"""
local led, count = {}, 0
for n = 2, #ARGV do
  if wipe(ARGV[n], led) then count = count + 1 end
end
finish(led)
return {count, led}
""",
    writes=True,
)

DROP: Final = Script(
    _COMMON
    + r"""
local led, count, touched = {}, 0, {}
for n = 2, #ARGV, 2 do
  if remove(ARGV[n], ARGV[n + 1]) then
    count = count + 1
    touched[ARGV[n]] = true
  end
end
tidy(touched, led)
finish(led)
return {count, led}
""",
    writes=True,
)

_RANGES: Final = r"""
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

PURGE: Final = Script(
    _COMMON
    + _RANGES
    + r"""
local led, count = {}, 0
local places, aliases = ranges(ARGV[3])
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  if wipe(key, led) then count = count + 1 end
  unlist(place)
end
for _, key in ipairs(aliases) do
  if wipe(key, led) then count = count + 1 end
end
finish(led)
return {count, led, #places + #aliases}
""",
    writes=True,
)
"""Answers, behind the count and the aliases, how many names it looked at."""

SWEEP: Final = Script(
    _COMMON
    + r"""
local led, count, touched = {}, 0, {}
local places = call('ZRANGEBYSCORE', X, '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  if remove(key, variant) then count = count + 1 end
  touched[key] = true
end
tidy(touched, led)
finish(led)
for _, name in ipairs(call('ZRANGEBYSCORE', W, '-inf', ARGV[2])) do
  call('DEL', P..'k:'..name)
  call('ZREM', W, name)
end
return {count, led, #places}
""",
    writes=True,
)
"""Answers as ``PURGE`` does."""

BLANK: Final = Script(
    _COMMON + "return call('UNLINK', I, D, X, A, L, W)",
    writes=True,
)
"""Forget all that a shard has: from then on it is absent."""

REMOVE: Final = Script(
    _COMMON
    + r"""
for n = 2, #ARGV do
  if string.sub(ARGV[n], 1, 2) == 'c:' then
    release(string.sub(ARGV[n], 3))
  else
    call('UNLINK', P..ARGV[n])
  end
end
return 0
""",
    writes=True,
)
"""Remove what lies there under some names, less ``P``."""

# What is there.

CONTAINS: Final = Script(
    _COMMON
    + r"""
if has_entry(ARGV[2]) then return 1 end
if not call('ZSCORE', A, ARGV[2]) then return 0 end
return call('HGET', P..'e:'..ARGV[2], 't') or 0
""",
    writes=False,
)
"""Answers 1, 0, or the key that an alias of this name leads to."""

HAS_LOCATOR: Final = Script(
    _COMMON
    + _RANGES
    + r"""
local places, aliases = ranges(ARGV[3])
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  if is_there(key, variant, place) then return 1 end
end
local targets = {}
for _, key in ipairs(aliases) do
  targets[#targets + 1] = call('HGET', P..'e:'..key, 't') or nil
end
return targets
""",
    writes=False,
)
"""Answers 1, or the keys that aliases lead to."""

MISSING: Final = Script(
    _COMMON
    + r"""
local missing = {}
for n = 2, #ARGV do
  if not has_entry(ARGV[n]) then missing[#missing + 1] = ARGV[n] end
end
return missing
""",
    writes=False,
)
"""Of some keys, those that have no entry."""

_LOOK: Final = r"""
local after, limit = ARGV[2], tonumber(ARGV[3])
local function look(index)
  local names = call('ZRANGEBYLEX', index, after == '' and '-' or '('..after, '+', 'LIMIT', 0, limit)
  return names, names[#names] or '', #names < limit and 1 or 0
end
-- The server may be one that is only read.
local function is_gone(place, key, variant)
  if call('HEXISTS', P..'e:'..key, 'm'..variant) == 0 then
    try('ZREM', I, place); try('ZREM', D, place); try('ZREM', X, place)
  end
end
"""

PAGE: Final = Script(
    _COMMON
    + _LOOK
    + r"""
local places, last, over = look(I)
local found, bytes = {}, 0
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  local e = P..'e:'..key
  local meta = is_there(key, variant, place)
  if meta then
    local record, body = call('HGET', e, 'r'..variant), ''
    if ARGV[4] == '1' then body = call('HGET', e, 'b'..variant) or '' end
    for _, value in ipairs({key, variant, meta, record or '', body}) do
      found[#found + 1] = value
    end
    bytes = bytes + #body
    if bytes > MOST then return {0, place, found} end
  else
    is_gone(place, key, variant)
  end
end
return {over, last, found}
""".replace("MOST", str(MOST_REPLY_BYTES)),
    writes=False,
)
"""Answers whether that is all, the last place, and five values for each entry."""

LINKS: Final = Script(
    _COMMON
    + _LOOK
    + r"""
local keys, last, over = look(A)
local found = {}
for _, key in ipairs(keys) do
  local record = call('HGET', P..'e:'..key, 'a')
  if record then
    found[#found + 1] = key
    found[#found + 1] = record
  else
    try('ZREM', A, key); try('ZREM', L, key)
  end
end
return {over, last, found}
""",
    writes=False,
)
"""The same for aliases, with two values for each: key and record."""

MEASURE: Final = Script(
    _COMMON
    + _LOOK
    + r"""
local count, bytes = 0, 0
local places, last, over = look(I)
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  local meta = is_there(key, variant, place)
  if meta then
    local _, _, stored = told(meta)
    count = count + 1
    bytes = bytes + stored + call('HSTRLEN', P..'e:'..key, 'r'..variant) + 4 * #place + 512
  else
    is_gone(place, key, variant)
  end
end
return {over, last, {count, bytes}}
""",
    writes=False,
)
"""Answers whether that is all, the last place, and how many entries there are in how many bytes."""

MEASURE_LINKS: Final = Script(
    _COMMON
    + _LOOK
    + r"""
local count, bytes = 0, 0
local keys, last, over = look(A)
for _, key in ipairs(keys) do
  local size = call('HSTRLEN', P..'e:'..key, 'a')
  if size > 0 then
    count = count + 1
    bytes = bytes + size + 4 * #key + 256
  else
    try('ZREM', A, key); try('ZREM', L, key)
  end
end
return {over, last, {count, bytes}}
""",
    writes=False,
)

# Large bodies. The one key that they touch is the chain's.

WRITE_BLOCKS: Final = Script(
    r"""
for n = 2, #ARGV do
  redis.call('HSET', KEYS[1], string.format('%d', ARGV[1] + n - 2), ARGV[n])
end
return redis.call('PEXPIRE', KEYS[1], DRAFT)
""".replace("DRAFT", str(int(DRAFT_SECONDS * 1000))),
    writes=True,
)

READ_BLOCK: Final = Script(
    r"""
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < READER then redis.pcall('PEXPIRE', KEYS[1], READER) end
return redis.call('HGET', KEYS[1], ARGV[1])
""".replace("READER", str(int(READER_SECONDS * 1000))),
    writes=False,
)

REMOVE_BLOCKS: Final = Script("return redis.call('UNLINK', KEYS[1])", writes=True)

# Leases: when it was taken, when it ends, whose it is.

_LEASES: Final = (
    "--!df flags=allow-undeclared-keys\n"
    + r"""
local P, name, owner, now = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local k, W = P..'k:'..name, P..'w'
local since, ends, holder
local held = redis.call('GET', k)
if held then since, ends, holder = string.match(held, '^(%S+) (%S+) (.*)$') end
local function keep(who, last, milliseconds)
  redis.call('SET', k, now..' '..last..' '..who, 'PX', milliseconds)
  for _, stray in ipairs(redis.call('ZRANGEBYSCORE', W, '-inf', now, 'LIMIT', 0, STRAYS)) do
    redis.call('ZREM', W, stray)
  end
  redis.call('ZADD', W, last, name)
  if redis.call('PTTL', W) < tonumber(milliseconds) then
    redis.call('PEXPIRE', W, milliseconds)
  end
end
""".replace("STRAYS", str(STRAYS))
)

CLAIM: Final = Script(
    _LEASES
    + r"""
if holder and holder ~= owner and tonumber(ends) > tonumber(now)
    and tonumber(since) <= tonumber(ARGV[6]) then
  return holder
end
keep(owner, ARGV[4], ARGV[5])
return owner
""",
    writes=True,
)
"""Arguments: name, owner, now, its end, the milliseconds until then, the latest beginning."""

RELEASE: Final = Script(
    _LEASES
    + r"""
if holder ~= owner then return 0 end
if not ARGV[4] then
  redis.call('ZREM', W, name)
  return redis.call('DEL', k)
end
if tonumber(ends) > tonumber(now) then keep('', ARGV[4], ARGV[5]) end
return 1
""",
    writes=True,
)
"""Arguments: name, owner, now; and for what was fruitless an end, and the milliseconds."""

HOLDER: Final = Script("return redis.call('GET', KEYS[1])", writes=False)
