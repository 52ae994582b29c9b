"""What the SQLite store says in SQL; ``{t}`` begins the name of every table."""

from __future__ import annotations

from typing import Final

_SCHEMA: Final = (
    # What a point read needs first lies before what may overflow the page.
    """CREATE TABLE IF NOT EXISTS {t}_responses (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        variant TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL,
        size INTEGER NOT NULL,
        chain INTEGER,
        record BLOB NOT NULL,
        body BLOB,
        UNIQUE (key, variant))""",
    """CREATE INDEX IF NOT EXISTS {t}_responses_expires
        ON {t}_responses (expires) WHERE expires IS NOT NULL""",
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
    # Whoever deletes an entry, and how: its blocks go, and with the last variant its aliases.
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_deleted AFTER DELETE ON {t}_responses
        WHEN OLD.chain IS NOT NULL BEGIN
        DELETE FROM {t}_blocks WHERE chain = OLD.chain; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_replaced AFTER UPDATE OF chain ON {t}_responses
        WHEN OLD.chain IS NOT NULL AND OLD.chain IS NOT NEW.chain BEGIN
        DELETE FROM {t}_blocks WHERE chain = OLD.chain; END""",
    """CREATE TRIGGER IF NOT EXISTS {t}_responses_left AFTER DELETE ON {t}_responses BEGIN
        DELETE FROM {t}_aliases WHERE target = OLD.key
        AND NOT EXISTS (SELECT 1 FROM {t}_responses WHERE key = OLD.key); END""",
)

OVERHEAD: Final = 256
"""Bytes that a row takes beside its columns, about: its place in the indexes and on its page."""

_RESPONSE_BYTES: Final = f"({OVERHEAD} + {{0}}size + length({{0}}record) + length({{0}}key))"
_ALIAS_BYTES: Final = f"({OVERHEAD} + length({{0}}record) + length({{0}}key))"

DELETE_STEPS: Final = ("count_listed", "delete_aliases", "delete_listed", "delete_led")
PURGE_STEPS: Final = ("count_located", "purge_led", "purge_aliases", "purge_located")
# The blocks first: an empty table costs the trigger nothing.
CLEAR_STEPS: Final = ("clear_blocks", "clear_aliases", "clear_responses")

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
        (key, variant, created, expires, size, chain, record, body)""",
    "replace_response": """ON CONFLICT (key, variant) DO UPDATE SET
        created = excluded.created, expires = excluded.expires, size = excluded.size,
        chain = excluded.chain, record = excluded.record, body = excluded.body""",
    "into_blocks": "INSERT INTO {t}_blocks (chain, number, data)",
    "into_aliases": "INSERT INTO {t}_aliases (key, target, record)",
    "replace_alias": """ON CONFLICT (key) DO UPDATE SET
        target = excluded.target, record = excluded.record""",
    "freshen": """UPDATE {t}_responses SET record = ?, created = ?, expires = ?
        WHERE key = ? AND variant = ? AND size = ? AND record = coalesce(?, record)""",
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
    "sweep": """DELETE FROM {t}_responses WHERE id IN (
        SELECT id FROM {t}_responses WHERE expires <= ? ORDER BY expires LIMIT ?)""",
    "delete_lost": """DELETE FROM {t}_aliases WHERE NOT EXISTS (
        SELECT 1 FROM {t}_responses AS r WHERE r.key = {t}_aliases.target)""",
    "has_locator": """SELECT
        EXISTS (SELECT 1 FROM {t}_responses WHERE {located})
        OR EXISTS (SELECT 1 FROM (SELECT target FROM {t}_aliases WHERE {located}) AS a
            JOIN {t}_responses AS r ON r.key = a.target)""",
    "page": _OWN + _PAGE,
    "page_bare": _OWN_BARE + _PAGE,
    "links": "SELECT key, record FROM {t}_aliases WHERE key > ? ORDER BY key LIMIT ?",
    "size": "SELECT count(*) FROM {t}_responses",
    "bytes_size": """SELECT (SELECT coalesce(sum({response_bytes}), 0) FROM {t}_responses)
        + (SELECT coalesce(sum({alias_bytes}), 0) FROM {t}_aliases)""",
    "links_size": "SELECT count(*) FROM {t}_aliases",
}


def schema(tables: str) -> tuple[str, ...]:
    """The statements that make the tables; each may be repeated."""
    return tuple(statement.format(t=tables) for statement in _SCHEMA)


def statements(tables: str) -> dict[str, str]:
    """Every other statement, by name."""
    located = "({0} = ? OR ({0} >= ? AND {0} < ?))"
    parts = {
        "t": tables,
        # Filled in when it is known how many there are.
        "listed": "({listed})",
        "response_bytes": _RESPONSE_BYTES.format(""),
        "alias_bytes": _ALIAS_BYTES.format(""),
        "located": located.format("key"),
        "target_located": located.format("target"),
    }
    return {name: text.format(**parts) for name, text in _STATEMENTS.items()}
