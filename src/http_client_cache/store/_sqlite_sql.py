"""What the SQLite store says in SQL; ``{t}`` begins the name of every table."""

from __future__ import annotations

from typing import Final

from http_client_cache.store import _sqlite_leases as leases

_SCHEMA: Final = (
    # What a point read needs first lies before what may overflow the page.
    """CREATE TABLE IF NOT EXISTS {t}_responses (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        variant TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL,
        leaves REAL,
        size INTEGER NOT NULL,
        chain INTEGER,
        record BLOB NOT NULL,
        body BLOB,
        UNIQUE (key, variant))""",
    # In files from before there was this column.
    """ALTER TABLE {t}_responses ADD COLUMN leaves REAL""",
    """CREATE INDEX IF NOT EXISTS {t}_responses_expires
        ON {t}_responses (expires) WHERE expires IS NOT NULL""",
    """CREATE INDEX IF NOT EXISTS {t}_responses_leaves
        ON {t}_responses (leaves) WHERE leaves IS NOT NULL""",
    """CREATE TABLE IF NOT EXISTS {t}_blocks (
        chain INTEGER NOT NULL,
        number INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (chain, number))""",
    """CREATE TABLE IF NOT EXISTS {t}_aliases (
        key TEXT NOT NULL PRIMARY KEY,
        target TEXT NOT NULL,
        record BLOB NOT NULL)""",
    """CREATE INDEX IF NOT EXISTS {t}_aliases_target ON {t}_aliases (target)""",
    # A chain below zero is no chain of blocks, but names a file beside the database.
    """CREATE INDEX IF NOT EXISTS {t}_responses_files ON {t}_responses (chain) WHERE chain < 0""",
    # Such files that can go; whoever writes next removes them.
    """CREATE TABLE IF NOT EXISTS {t}_trash (chain INTEGER PRIMARY KEY)""",
    # Whoever deletes an entry, and how: its blocks go, and with the last variant its aliases.
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_deleted AFTER DELETE ON {t}_responses
        WHEN OLD.chain IS NOT NULL BEGIN
        DELETE FROM {t}_blocks WHERE chain = OLD.chain; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_replaced AFTER UPDATE OF chain ON {t}_responses
        WHEN OLD.chain IS NOT NULL AND OLD.chain IS NOT NEW.chain BEGIN
        DELETE FROM {t}_blocks WHERE chain = OLD.chain; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_files_deleted AFTER DELETE ON {t}_responses
        WHEN OLD.chain < 0 BEGIN
        INSERT OR IGNORE INTO {t}_trash (chain) VALUES (OLD.chain); END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_files_replaced AFTER UPDATE OF chain ON {t}_responses
        WHEN OLD.chain < 0 AND OLD.chain IS NOT NEW.chain BEGIN
        INSERT OR IGNORE INTO {t}_trash (chain) VALUES (OLD.chain); END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_left AFTER DELETE ON {t}_responses BEGIN
        DELETE FROM {t}_aliases WHERE target = OLD.key
        AND NOT EXISTS (SELECT 1 FROM {t}_responses WHERE key = OLD.key); END""",
    *leases.SCHEMA,
)

# Only where there are limits, and from then on for whoever writes to the file.
_LIMITED: Final = (
    # A logical time, so that clocks of several machines do not matter. It lies apart from what
    # is used: to note a use must not rewrite a body.
    """CREATE TABLE IF NOT EXISTS {t}_uses (id INTEGER PRIMARY KEY, used INTEGER NOT NULL)""",
    """CREATE INDEX IF NOT EXISTS {t}_uses_used ON {t}_uses (used)""",
    """CREATE TABLE IF NOT EXISTS {t}_totals (
        entries INTEGER NOT NULL, bytes INTEGER NOT NULL, aliases INTEGER NOT NULL)""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_counted AFTER INSERT ON {t}_responses BEGIN
        INSERT OR REPLACE INTO {t}_uses (id, used) VALUES (NEW.id, {next_use});
        UPDATE {t}_totals SET entries = entries + 1, bytes = bytes + {new_response}; END""",
    # To replace an entry is a use, to freshen it is none: the whole store may be.
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_reused AFTER UPDATE OF size ON {t}_responses
        BEGIN
        UPDATE {t}_uses SET used = {next_use} WHERE id = NEW.id; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_recounted AFTER UPDATE OF record ON {t}_responses
        BEGIN
        UPDATE {t}_totals SET bytes = bytes + {new_response} - {old_response}; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_uncounted AFTER DELETE ON {t}_responses BEGIN
        DELETE FROM {t}_uses WHERE id = OLD.id;
        UPDATE {t}_totals SET entries = entries - 1, bytes = bytes - {old_response}; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_aliases_counted AFTER INSERT ON {t}_aliases BEGIN
        UPDATE {t}_totals SET aliases = aliases + 1, bytes = bytes + {new_alias}; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_aliases_recounted AFTER UPDATE OF record ON {t}_aliases
        BEGIN
        UPDATE {t}_totals SET bytes = bytes + {new_alias} - {old_alias}; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_aliases_uncounted AFTER DELETE ON {t}_aliases BEGIN
        UPDATE {t}_totals SET aliases = aliases - 1, bytes = bytes - {old_alias}; END""",
    # What was there before was used in the order of its arrival.
    """INSERT OR IGNORE INTO {t}_uses (id, used) SELECT id, id FROM {t}_responses""",
    """INSERT INTO {t}_totals (entries, bytes, aliases)
        SELECT (SELECT count(*) FROM {t}_responses), ({recount}),
            (SELECT count(*) FROM {t}_aliases)
        WHERE NOT EXISTS (SELECT 1 FROM {t}_totals)""",
)

OVERHEAD: Final = 256
"""Bytes that a row takes beside its columns, about: its place in the indexes and on its page."""

_RESPONSE_BYTES: Final = f"({OVERHEAD} + {{0}}size + length({{0}}record) + length({{0}}key))"
_ALIAS_BYTES: Final = f"({OVERHEAD} + length({{0}}record) + length({{0}}key))"
_RECOUNT: Final = """
    SELECT (SELECT coalesce(sum({response}), 0) FROM {t}_responses)
    + (SELECT coalesce(sum({alias}), 0) FROM {t}_aliases)"""
_NEXT_USE: Final = "(SELECT coalesce(max(used), 0) + 1 FROM {t}_uses)"

DELETE_STEPS: Final = ("count_listed", "delete_aliases", "delete_listed", "delete_led")
PURGE_STEPS: Final = ("count_located", "purge_led", "purge_aliases", "purge_located")
# The blocks first: an empty table costs the trigger nothing.
CLEAR_STEPS: Final = ("clear_blocks", "clear_aliases", "clear_responses", "clear_leases")

# What the thread that writes needs besides.
UPKEEP: Final = (
    *("leave", "totals", "latest", "use", "expired", "oldest", "remove", "links_written", "unlink"),
    *("trash", "empty_trash", "has_file"),
)

_OWN: Final = "SELECT key, variant, record, body, chain, NULL"
_OWN_BARE: Final = "SELECT key, variant, record, x'', NULL, NULL"
_HERE: Final = " FROM {t}_responses WHERE key = ?"
_LED: Final = """ UNION ALL
    SELECT a.target, r.variant, r.record, r.body, r.chain, a.record
    FROM {t}_aliases AS a LEFT JOIN {t}_responses AS r ON r.key = a.target
    WHERE a.key = ? AND NOT EXISTS (SELECT 1 FROM {t}_responses WHERE key = a.key)"""
_LED_BARE: Final = _LED.replace("r.body, r.chain", "x'', NULL")
_PAGE: Final = ", id FROM {t}_responses WHERE id > ? ORDER BY id LIMIT ?"

_STATEMENTS: Final = {
    "point": _OWN + _HERE,
    "point_bare": _OWN_BARE + _HERE,
    "follow": _OWN + _HERE + _LED,
    "follow_bare": _OWN_BARE + _HERE + _LED_BARE,
    "blocks": "SELECT data FROM {t}_blocks WHERE chain = ? ORDER BY number",
    "into_responses": """INSERT INTO {t}_responses
        (key, variant, created, expires, leaves, size, chain, record, body)""",
    "replace_response": """ON CONFLICT (key, variant) DO UPDATE SET
        created = excluded.created, expires = excluded.expires,
        leaves = excluded.leaves, size = excluded.size, chain = excluded.chain,
        record = excluded.record, body = excluded.body""",
    "into_blocks": "INSERT INTO {t}_blocks (chain, number, data)",
    "into_aliases": "INSERT INTO {t}_aliases (key, target, record)",
    "replace_alias": """ON CONFLICT (key) DO UPDATE SET
        target = excluded.target, record = excluded.record""",
    "freshen": """UPDATE {t}_responses SET record = ?, created = ?, expires = ?, leaves = ?
        WHERE key = ? AND variant = ? AND size = ? AND record = ?""",
    "count_listed": """SELECT count(*) FROM (
        SELECT key FROM {t}_responses WHERE key IN {listed}
        UNION SELECT key FROM {t}_aliases WHERE key IN {listed})""",
    "delete_listed": "DELETE FROM {t}_responses WHERE key IN {listed}",
    "delete_aliases": "DELETE FROM {t}_aliases WHERE key IN {listed}",
    "delete_led": "DELETE FROM {t}_aliases WHERE target IN {listed}",
    "drop": "DELETE FROM {t}_responses WHERE key = ? AND variant = ?",
    "count_located": """SELECT count(*) FROM (
        SELECT key FROM {t}_responses WHERE {located}
        UNION SELECT key FROM {t}_aliases WHERE {located})""",
    "purge_located": "DELETE FROM {t}_responses WHERE {located}",
    "purge_aliases": "DELETE FROM {t}_aliases WHERE {located}",
    "purge_led": "DELETE FROM {t}_aliases WHERE {target_located}",
    "clear_blocks": "DELETE FROM {t}_blocks",
    "clear_aliases": "DELETE FROM {t}_aliases",
    "clear_responses": "DELETE FROM {t}_responses",
    "clear_leases": leases.CLEAR,
    "sweep_leases": leases.SWEEP,
    "sweep": """DELETE FROM {t}_responses WHERE id IN (
        SELECT id FROM {t}_responses WHERE expires <= ? ORDER BY expires LIMIT ?)""",
    "leave": """DELETE FROM {t}_responses WHERE id IN (
        SELECT id FROM {t}_responses WHERE leaves <= ? ORDER BY leaves LIMIT ?)""",
    "totals": "SELECT entries, bytes, aliases FROM {t}_totals",
    "latest": "SELECT coalesce(max(used), 0) FROM {t}_uses",
    "use": """UPDATE {t}_uses SET used = {next_use}
        WHERE id IN (SELECT id FROM {t}_responses WHERE key = ?)""",
    "expired": """SELECT id, {response} FROM {t}_responses WHERE expires <= ? ORDER BY expires""",
    "oldest": """SELECT r.id, {r_response} FROM {t}_uses AS u CROSS JOIN {t}_responses AS r
        ON r.id = u.id ORDER BY u.used""",
    "remove": "DELETE FROM {t}_responses WHERE id = ?",
    "links_written": "SELECT rowid, {alias} FROM {t}_aliases ORDER BY rowid",
    "unlink": "DELETE FROM {t}_aliases WHERE rowid = ?",
    "delete_lost": """DELETE FROM {t}_aliases WHERE NOT EXISTS (
        SELECT 1 FROM {t}_responses AS r WHERE r.key = {t}_aliases.target)""",
    "trash": "SELECT chain FROM {t}_trash",
    "empty_trash": "DELETE FROM {t}_trash",
    "has_file": "SELECT 1 FROM {t}_responses WHERE chain = ? AND chain < 0",
    "has_locator": """SELECT
        EXISTS (SELECT 1 FROM {t}_responses WHERE {located})
        OR EXISTS (SELECT 1 FROM (SELECT target FROM {t}_aliases WHERE {located}) AS a
            JOIN {t}_responses AS r ON r.key = a.target)""",
    "page": _OWN + _PAGE,
    "page_bare": _OWN_BARE + _PAGE,
    "links": "SELECT key, record FROM {t}_aliases WHERE key > ? ORDER BY key LIMIT ?",
    "size": "SELECT count(*) FROM {t}_responses",
    "bytes_size": _RECOUNT,
    "bytes_total": "SELECT bytes FROM {t}_totals",
    "links_size": "SELECT count(*) FROM {t}_aliases",
}


def schema(tables: str, *, limited: bool) -> tuple[str, ...]:
    """The statements that make the tables; each may be repeated, but for ``ALTER``.

    Args:
        tables: begins their names.
        limited: whether uses and totals are kept, too.
    """
    texts = (*_SCHEMA, *_LIMITED) if limited else _SCHEMA
    parts = _parts(tables)
    parts["recount"] = _RECOUNT.format(**parts)
    return tuple(statement.format(**parts) for statement in texts)


def statements(tables: str) -> dict[str, str]:
    """Every other statement, by name."""
    located = "({0} = ? OR ({0} >= ? AND {0} < ?))"
    parts = {
        **_parts(tables),
        # Filled in when it is known how many there are.
        "listed": "({listed})",
        "located": located.format("key"),
        "target_located": located.format("target"),
    }
    return {name: text.format(**parts) for name, text in _STATEMENTS.items()}


def _parts(tables: str) -> dict[str, str]:
    return {
        "t": tables,
        "next_use": _NEXT_USE.format(t=tables),
        "response": _RESPONSE_BYTES.format(""),
        "r_response": _RESPONSE_BYTES.format("r."),
        "new_response": _RESPONSE_BYTES.format("NEW."),
        "old_response": _RESPONSE_BYTES.format("OLD."),
        "alias": _ALIAS_BYTES.format(""),
        "new_alias": _ALIAS_BYTES.format("NEW."),
        "old_alias": _ALIAS_BYTES.format("OLD."),
    }
