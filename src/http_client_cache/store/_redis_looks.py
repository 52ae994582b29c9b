"""The Lua scripts of the Redis store that only look."""

from __future__ import annotations

from typing import Final

from http_client_cache.redis_statements import Script
from http_client_cache.store._redis_lua import COMMON, PLACES, RANGES

MOST_REPLY_BYTES: Final = 4 * 1024 * 1024
"""Bodies in one page, about."""

LOAD: Final = Script(
    PLACES
    + r"""
local all = redis.pcall('HGETALL', KEYS[1])
if all.err then return {} end
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

CONTAINS: Final = Script(
    COMMON
    + r"""
if has_entry(ARGV[2]) then return 1 end
if not call('ZSCORE', A, ARGV[2]) then return 0 end
return field(P..'e:'..ARGV[2], 't') or 0
""",
    writes=False,
)
"""Answers 1, 0, or the key that an alias of this name leads to."""

HAS_LOCATOR: Final = Script(
    COMMON
    + RANGES
    + r"""
local places, aliases = ranges(ARGV[3])
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  if is_there(key, variant, place) then return 1 end
end
local targets = {}
for _, key in ipairs(aliases) do
  targets[#targets + 1] = field(P..'e:'..key, 't') or nil
end
return targets
""",
    writes=False,
)
"""Answers 1, or the keys that aliases lead to."""

MISSING: Final = Script(
    COMMON
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
  local least = after == '' and '-' or '('..after
  local names = call('ZRANGEBYLEX', index, least, '+', 'LIMIT', 0, limit)
  return names, names[#names] or '', #names < limit and 1 or 0
end
-- The server may be one that is only read.
local function is_gone(place, key, variant)
  if not field(P..'e:'..key, 'm'..variant) then
    try('ZREM', I, place); try('ZREM', D, place); try('ZREM', X, place)
  end
end
"""

PAGE: Final = Script(
    COMMON
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
    COMMON
    + _LOOK
    + r"""
local keys, last, over = look(A)
local found = {}
for _, key in ipairs(keys) do
  local record = field(P..'e:'..key, 'a')
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
    COMMON
    + _LOOK
    + r"""
local count, bytes = 0, 0
local places, last, over = look(I)
for _, place in ipairs(places) do
  local key, variant = parts_of(place)
  local meta = is_there(key, variant, place)
  if meta then
    local _, _, body = told(meta)
    count = count + 1
    bytes = bytes + string.match(body, '^%d+') + 4 * #place + 512
    bytes = bytes + call('HSTRLEN', P..'e:'..key, 'r'..variant)
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
    COMMON
    + _LOOK
    + r"""
local count, bytes = 0, 0
local keys, last, over = look(A)
for _, key in ipairs(keys) do
  local record = field(P..'e:'..key, 'a')
  if record then
    count = count + 1
    bytes = bytes + #record + 4 * #key + 256
  else
    try('ZREM', A, key); try('ZREM', L, key)
  end
end
return {over, last, {count, bytes}}
""",
    writes=False,
)
