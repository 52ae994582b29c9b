"""Write docs/reasons.md: what the cache says of a request, and what that means to its user.

The texts are those of ``http_client_cache/rfc9111/reasons.py``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from http_client_cache.rfc9111 import reasons
from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.status import FORWARDED, REFUSED, SERVED, UNANSWERED, CacheStatus

PAGE = Path(__file__).parents[1] / "docs" / "reasons.md"
NAME = "aiohttp-client-cache"
KEY = "98a1d8e2f1b4c7d0.5f0c9d3b7a1e4628c0b6f2d49e8a7315"

EXAMPLES = (
    CacheStatus(Reason.HIT, key=KEY, ttl=376),
    CacheStatus(Reason.MISS, ttl=600, stored=True),
    CacheStatus(Reason.MISS, refusal=Reason.NO_STORE),
    CacheStatus(Reason.VALIDATED, ttl=600, asked=Reason.EXPIRED, forward_status=304),
    CacheStatus(Reason.STALE_WHILE_REVALIDATE, ttl=-12),
)

HEAD = """\
# Why was this (not) cached?

<!-- Made by `make reasons` of src/http_client_cache/rfc9111/reasons.py: change the texts there. -->

Every response has a `response.cache`, which says what the cache did with the request. The server
is called the origin here.

| attribute | what it says |
|---|---|
| `why` | one sentence: what happened, and why the response was not stored |
| `reason` | the same as a `Reason`, for programs: the names below |
| `refusal` | the `Reason` why the response was not stored; `None` if there is none |
| `hit` | whether the response was served without an answer of the origin's |
| `forward` | why the origin was asked, as RFC 9211 calls it (`fwd` below); `None` if it was not |
| `asked` | the `Reason` why it was asked, where the stored response was served in the end |
| `forward_status` | the status code of its answer, where that was not served, or was 304 |
| `stored` | whether its answer was stored |
| `collapsed` | whether this is the answer to another request, which was under way |
| `ttl` | seconds until the response expires, negative for those since; `None`: unknown, or never |
| `key` | what the response is stored under: a digest; `None` where nothing was looked up |

With `cache_status=True`, the same is in a header field of the response, `Cache-Status`
([RFC 9211](https://www.rfc-editor.org/rfc/rfc9211)). Its `detail` is the `reason` and, behind a
slash, the `refusal`:

```text
{examples}
```
"""

SECTIONS = {
    "Served from the cache": (
        SERVED,
        "`fwd` means that the origin was asked first: it tells why, and so does `asked`.",
    ),
    "The origin was asked": (
        FORWARDED,
        "Where nothing was looked up (`bypass`), this is the `refusal` as well.",
    ),
    "The answer was not stored": (
        REFUSED,
        "These are the values of `refusal`; some of those above can be one, too.",
    ),
    "There was no answer": (UNANSWERED, "Neither the cache nor the origin gave one."),
}


def page() -> str:
    """The whole page.

    Raises:
        ValueError: a reason has no text for users, or its rule cannot be read.
    """
    examples = "\n".join(f"Cache-Status: {status.field(NAME)}" for status in EXAMPLES)
    parts = [HEAD.format(examples=examples)]
    for heading, (members, introduction) in SECTIONS.items():
        parts += [f"\n## {heading}\n\n{introduction}\n\n", *table(members)]
    return "".join(parts)


def table(members: Iterable[Reason]) -> Iterator[str]:
    """The lines of a table, in the order of the enumeration."""
    chosen, said = frozenset(members), texts()
    in_field = chosen <= SERVED | FORWARDED.keys()
    yield row("reason", "what happened, and what to do", "rule", *["`Cache-Status`"] * in_field)
    yield row(*["---"] * (3 + in_field))
    for reason in Reason:
        if reason in chosen:
            happened, rule = divided(reason)
            field = [parameter(reason)] * in_field
            yield row(f"`{reason.name}`", f"{happened}.<br>{said[reason]}", rule, *field)


def row(*cells: str) -> str:
    """One line of a table."""
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def texts() -> dict[Reason, str]:
    """The text below each member, which Python itself forgets."""
    (kind,) = (
        node
        for node in ast.parse(inspect.getsource(reasons)).body
        if isinstance(node, ast.ClassDef)
    )
    found: dict[Reason, str] = {}
    for member, text in pairwise(kind.body):
        match member, text:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                found[Reason[name]] = " ".join(words.split())
    if missing := [reason.name for reason in Reason if not found.get(reason)]:
        raise ValueError(f"no text for users: {', '.join(missing)}")
    return found


def divided(reason: Reason) -> tuple[str, str]:
    """What happened, and links to where the rule stands."""
    happened, _, rule = reason.value.partition(" (RFC ")
    if not rule:
        return happened, ""
    if not rule.endswith(")"):
        raise ValueError(f"{reason.name}: the rule has to be the end")
    return happened, ", ".join(linked(part.removeprefix("RFC ")) for part in rule[:-1].split(", "))


def linked(rule: str) -> str:
    """Links for ``9111 section 4.2``, ``9111 sections 3 and 4.3`` or ``6585 sections 3 to 6``."""
    match = re.fullmatch(r"(\d+) (?:section ([\d.]+)|sections ([\d.]+) (and|to) ([\d.]+))", rule)
    if match is None:
        raise ValueError(f"no rule: RFC {rule}")
    number, alone, first, word, last = match.groups()
    url = f"https://www.rfc-editor.org/rfc/rfc{number}#section-"
    if alone:
        return f"[RFC {number}, {alone}]({url}{alone})"
    return f"[RFC {number}, {first}]({url}{first}) {word} [{last}]({url}{last})"


def parameter(reason: Reason) -> str:
    """What the Cache-Status field says of it."""
    if reason in FORWARDED:
        return f"`fwd={FORWARDED[reason]}`"
    if reason is Reason.STALE_IF_ERROR:
        return "`hit`; `fwd` if the origin answered"
    return "`hit`" if CacheStatus(reason).hit else "`fwd`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
