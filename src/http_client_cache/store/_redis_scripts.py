"""The Lua scripts of the Redis store that change something, and those of large bodies and leases.

What lies under which name is told in ``_redis_lua.py``.
"""

from __future__ import annotations

from typing import Final

from http_client_cache.redis_statements import Script
from http_client_cache.store._blocks import DRAFT_SECONDS, READER_SECONDS
from http_client_cache.store._redis_lua import COMMON, NEVER, RANGES, STRAYS

# What a request needs.

SAVE: Final = Script(
    COMMON
    + r"""
local key, variant, meta, record, body = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local expires, blocks = ARGV[7], tonumber(ARGV[8])
local e, deadline, chain = P..'e:'..key, told(meta)
local c, place = P..'c:'..chain, place_of(key, variant)
if chain ~= '-' and call('HLEN', c) - call('HEXISTS', c, 'e') ~= blocks then return 0 end
mend(e, 'hash')
local old = call('HGET', e, 'm'..variant)
if chain == '-' then
  call('HSET', e, 'r'..variant, record, 'm'..variant, meta, 'b'..variant, body)
else
  call('HSET', e, 'r'..variant, record, 'm'..variant, meta)
  call('HDEL', e, 'b'..variant)
  call('HSET', c, 'e', place)
  keep(chain, deadline)
end
if old then
  local _, former = told(old)
  if former and former ~= '-' and former ~= chain then release(former) end
end
list(place, deadline, expires)
local led = {}
add_aliases(led, key, settle(e))
finish(led)
return led
""",
    writes=True,
)
"""Answers 0, with nothing done, if a block has gone; else aliases, see ``ALIASES``."""

FRESHEN: Final = Script(
    COMMON
    + r"""
-- Where Lua is newer than Redis's, it lies in `table`.
local unpack = table.unpack or unpack
local led, count = {}, 0
for n = 2, #ARGV, 7 do
  local key, variant, body, known, record = unpack(ARGV, n, n + 4)
  local deadline, expires = ARGV[n + 5], ARGV[n + 6]
  local e, place = P..'e:'..key, place_of(key, variant)
  local meta = is_there(key, variant, place)
  if meta then
    local _, chain, lies = told(meta)
    if lies == body and (known == '' or call('HGET', e, 'r'..variant) == known) then
      call('HSET', e, 'r'..variant, record, 'm'..variant, deadline..' '..chain..' '..lies)
      if chain ~= '-' then keep(chain, deadline) end
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

_NOTE: Final = r"""
local function note(target, alias)
  local t, deadline = P..'t:'..target, latest(P..'e:'..target)
  mend(t, 'set')
  call('SADD', t, alias)
  deadline = deadline or whole(NOW + DRAFT)
  until_then(t, deadline)
  return deadline
end
""".replace("DRAFT", str(int(DRAFT_SECONDS * 1000)))

NOTE: Final = Script(COMMON + _NOTE + "return note(ARGV[2], ARGV[3])", writes=True)
"""Note at a key that an alias leads to it. Answers until when the alias is needed."""

LINK: Final = Script(
    COMMON
    + _NOTE
    + r"""
local key, target, record, deadline = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local e = P..'e:'..key
mend(e, 'hash')
local former = call('HGET', e, 't')
if former and former ~= target then try('SREM', P..'t:'..former, key) end
if deadline == '' then deadline = note(target, key) end
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
"""Without a deadline it is noted at the target, too. Answers aliases, see ``ALIASES``."""

ALIASES: Final = Script(
    COMMON
    + r"""
for n = 2, #ARGV, 3 do
  local key, target, deadline = ARGV[n], ARGV[n + 1], ARGV[n + 2]
  local e = P..'e:'..key
  if field(e, 't') == target then
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
    COMMON
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
    COMMON
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

PURGE: Final = Script(
    COMMON
    + RANGES
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
    COMMON
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
    COMMON + "return call('UNLINK', I, D, X, A, L, W)",
    writes=True,
)
"""Forget all that a shard has: from then on it is absent."""

REMOVE: Final = Script(
    COMMON
    + r"""
local function is_published(chain)
  local place = field(P..'c:'..chain, 'e')
  if not place or not call('ZSCORE', I, place) then return false end
  local key, variant = parts_of(place)
  local meta = field(P..'e:'..key, 'm'..variant)
  local _, named = told(meta or '')
  return named == chain
end
local function prune(key)
  local e, stays = P..'e:'..key, call('ZSCORE', A, key)
  for _, name in ipairs(fields(e)) do
    if string.byte(name) == 109 then
      local variant = string.sub(name, 2)
      if call('ZSCORE', I, place_of(key, variant)) then
        stays = true
      else
        remove(key, variant)
      end
    end
  end
  if not stays then
    call('UNLINK', e)
  else
    if not call('ZSCORE', A, key) then unlink(key) end
    settle(e)
  end
end
local indexes = {i = true, d = true, x = true, a = true, l = true, w = true}
for n = 2, #ARGV do
  local kind, name = string.sub(ARGV[n], 1, 2), string.sub(ARGV[n], 3)
  if kind == 'c:' then
    if not is_published(name) then release(name) end
  elseif kind == 'e:' then
    prune(name)
  elseif not indexes[ARGV[n]]
      and not (kind == 't:' and has_entry(name))
      and not (kind == 'k:' and call('ZSCORE', W, name)) then
    call('UNLINK', P..ARGV[n])
  end
end
return 0
""",
    writes=True,
)
"""Remove what lies there under some names, less ``P``, but what came since it was forgotten."""

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
local block = redis.pcall('HGET', KEYS[1], ARGV[1])
return type(block) == 'string' and block
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
local held = redis.pcall('GET', k)
if type(held) == 'string' then
  since, ends, holder = string.match(held, '^(%S+) (%S+) (.*)$')
  if not (tonumber(since) and tonumber(ends)) then holder = nil end
end
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

HOLDER: Final = Script(
    r"""
local held = redis.pcall('GET', KEYS[1])
return type(held) == 'string' and held
""",
    writes=False,
)
