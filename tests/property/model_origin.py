"""An honest origin that answers as it is told, for the model of a cache.

Each answer has a number (``X-Answer``), each thing that it shows a name (``X-Name``), and what
brings content says so (``X-Content``). None of them is known to the cache; from them an oracle can
tell where each field and byte of a response came from.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import Any, NamedTuple

from http_client_cache.message import Headers, Request, ResponseHead
from http_client_cache.plan import Answer

START = 1_700_000_000.0
HOST = "http://origin.test"
UNSAFE = frozenset({"POST", "PUT", "DELETE"})
SHOWS_A_PAGE = frozenset({200, 203})


def told(value: Any) -> str:
    """What is not as usual, so that a failing history can be read."""
    usual = value._field_defaults
    pairs = [(name, now) for name, now in value._asdict().items() if now != usual.get(name)]
    return f"{type(value).__name__}({', '.join([f'{name}={now!r}' for name, now in pairs])})"


class Ask(NamedTuple):
    """A request; seconds are ``None`` where nothing is said.

    Attributes:
        path: of the URL.
        method: of RFC 9110.
        kind: value of ``X-Kind``, by which some pages vary.
        user: whose ``Authorization`` it has.
        seconds: directives with seconds; -1 is a ``max-stale`` without.
        flags: directives without.
        pragma: ``Pragma: no-cache``.
        condition: name of a field, and which version's validator it has: 0 for the current one.
        range: value of ``Range``, less its unit.
        if_range: whether ``If-Range`` has the current entity-tag.
        option: the caller's argument to the cache that is set, if any.
    """

    path: str = "/a"
    method: str = "GET"
    kind: str | None = None
    user: str | None = None
    seconds: tuple[tuple[str, int], ...] = ()
    flags: tuple[str, ...] = ()
    pragma: bool = False
    condition: tuple[str, int] | None = None
    range: str | None = None
    if_range: bool = False
    option: str | None = None

    __repr__ = told

    @property
    def plain(self) -> Ask:
        """The same, asked without any wishes."""
        return Ask(self.path, self.method, self.kind, self.user)

    def said(self, name: str) -> int | None:
        """The seconds of a directive."""
        return dict(self.seconds).get(name)


class Say(NamedTuple):
    """How the origin answers.

    Attributes:
        status: where it is not 200 or 203, it is an answer without a page.
        seconds: directives with seconds.
        flags: directives without.
        expires: seconds from Date, or ``None``.
        age: value of ``Age``.
        date: seconds from now, or ``None`` for no ``Date``.
        delay: seconds until it comes.
        ranges: whether ``Range`` is obeyed.
        bare: whether a 304 is without validators.
        points: path that ``Content-Location`` of an answer to an unsafe request names, if any.
        body: ``whole``, ``lost`` or ``slow``.
        lost: whether there is no answer at all.
    """

    status: int = 200
    seconds: tuple[tuple[str, int], ...] = ()
    flags: tuple[str, ...] = ()
    expires: int | None = None
    age: int | None = None
    date: int | None = 0
    delay: int = 0
    ranges: bool = True
    bare: bool = False
    points: str | None = None
    body: str = "whole"
    lost: bool = False

    __repr__ = told

    def said(self, name: str) -> int | None:
        """The seconds of a directive."""
        return dict(self.seconds).get(name)


class Page(NamedTuple):
    """What the origin shows, as it is at the moment.

    Attributes:
        version: grows with every edit.
        tag: ``strong``, ``weak`` or ``none``.
        modified: seconds before the start, or ``None`` for no ``Last-Modified``.
        vary: value of ``Vary``, or ``None``.
    """

    version: int = 0
    tag: str = "strong"
    modified: int | None = None
    vary: str | None = None


class Shown(NamedTuple):
    """A page in one of its kinds, or an answer without one."""

    name: str
    body: bytes
    tag: str | None = None
    modified: float | None = None
    vary: str | None = None
    kind: str | None = None


class Sent(NamedTuple):
    """What the origin has sent: an answer, and to what."""

    number: int
    ask: Ask
    say: Say
    status: int
    shown: Shown
    requested: float
    received: float
    date: float
    expires: float | None


def date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


class Origin:
    """Shows pages, which change.

    Attributes:
        pages: by path.
        shown: all that was ever shown, by its name.
        sent: all answers; the number of each is its place.
        changed: number of the last answer to an unsafe request that succeeded, by path.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.shown: dict[str, Shown] = {}
        self.sent: list[Sent] = []
        self.changed: dict[str, int] = {}
        self._expiring: set[str] = set()

    def edit(self, path: str, **page: Any) -> None:
        """Show something else from now on."""
        old = self.pages.get(path, Page())
        self.pages[path] = old._replace(version=old.version + 1, **page)

    def show(self, path: str, kind: str | None, back: int = 0) -> Shown:
        """A page as it is shown, or was, so many versions ago."""
        page = self.pages.get(path, Page())
        version = page.version - back
        own = kind if page.vary == "X-Kind" else None
        name = f"{path} {version} {own}"
        tag = {"strong": f'"{name}"', "weak": f'W/"{name}"'}.get(page.tag)
        modified = None if page.modified is None else START - page.modified + version
        body = f"This is {name}, all of it.".encode()
        if tag is None and modified is None:
            # Of another length than the others, as HEAD has nothing else to tell them apart.
            body += b"." * (version + 3)
        shown = Shown(name, body, tag, modified, page.vary, own)
        return shown if back else self.shown.setdefault(name, shown)

    def answer(self, request: Request, say: Say, requested: float, received: float) -> Answer:
        """The answer to a request; its body is at hand for whoever reads it."""
        path, headers, status = request.url.removeprefix(HOST), request.headers, say.status
        if request.method in UNSAFE and 200 <= status < 400:
            self.edit(path)
            self.changed[path] = len(self.sent)
            if say.points is not None:
                self.changed[say.points] = len(self.sent)
        shown = self.show(path, headers.get("x-kind"))
        fields: list[tuple[str, str]] = []
        if status not in SHOWS_A_PAGE:
            name = f"{path} without a page {len(self.sent)}"
            shown = self.shown[name] = Shown(name, name.encode())
        body = shown.body
        if status in SHOWS_A_PAGE and request.method not in UNSAFE:
            status, body, fields = _conditional(request, shown, say, status)
        dated = received if say.date is None else received + say.date
        expires = None if say.expires is None else dated + say.expires
        if expires is None and path in self._expiring:
            # A field that was there once would else outlive the answer that it came with.
            expires = dated
        if expires is not None:
            self._expiring.add(path)
        ask = _ask_of(path, request)
        sent = Sent(len(self.sent), ask, say, status, shown, requested, received, dated, expires)
        self.sent.append(sent)
        fields += _fields(sent, bare=say.bare and status == 304)
        if request.method != "HEAD" and status != 304:
            fields.append(("X-Content", str(sent.number)))
        if request.method == "HEAD" or status == 304:
            body = b""
        head = ResponseHead(request.url, status, "", (1, 1), Headers.of(fields))
        authorization = headers.get("authorization")
        return Answer(head, (sent, body), requested, received, authorization)


def _ask_of(path: str, request: Request) -> Ask:
    """What the origin can tell of who asks."""
    headers = request.headers
    flags = ("no-store",) if "no-store" in (headers.get("cache-control") or "") else ()
    return Ask(
        path, request.method, headers.get("x-kind"), headers.get("authorization"), flags=flags
    )


def _conditional(
    request: Request, shown: Shown, say: Say, status: int
) -> tuple[int, bytes, list[tuple[str, str]]]:
    """RFC 9110 section 13.2.2, as an origin would have it that knows its own validators."""
    headers, whole = request.headers, shown.body
    if "if-match" in headers and headers.get("if-match") != shown.tag:
        return 412, b"", []
    theirs = [tag.strip() for tag in (headers.get("if-none-match") or "").split(",")]
    if "if-none-match" in headers:
        if "*" in theirs or shown.tag in theirs:
            return 304, b"", []
    elif shown.modified is not None and headers.get("if-modified-since") == date(shown.modified):
        return 304, b"", []
    asked = (headers.get("range") or "").removeprefix("bytes=")
    if not asked or not say.ranges or request.method != "GET" or status != 200:
        return status, whole, [("Content-Length", str(len(whole)))]
    condition = headers.get("if-range")
    strong = shown.tag is not None and not shown.tag.startswith("W/")
    by_date = shown.modified is not None and condition == date(shown.modified)
    if condition is not None and not (by_date or (strong and condition == shown.tag)):
        return status, whole, [("Content-Length", str(len(whole)))]
    span = span_of(asked, len(whole))
    if span is None:
        return 416, b"", [("Content-Range", f"bytes */{len(whole)}")]
    start, stop = span
    told = f"bytes {start}-{stop - 1}/{len(whole)}"
    length = str(stop - start)
    return 206, whole[start:stop], [("Content-Range", told), ("Content-Length", length)]


def span_of(asked: str, size: int) -> tuple[int, int] | None:
    """One range as a slice; ``None`` if it cannot be satisfied (RFC 9110 section 14.1.2)."""
    first, _, last = asked.partition("-")
    if not first:
        return max(size - int(last), 0), size
    start = int(first)
    return (start, min(int(last) + 1, size) if last else size) if start < size else None


def _fields(sent: Sent, *, bare: bool) -> list[tuple[str, str]]:
    say, shown = sent.say, sent.shown
    said = [*[f"{name}={seconds}" for name, seconds in say.seconds], *say.flags]
    fields = [
        ("X-Answer", str(sent.number)),
        ("X-Name", shown.name),
        ("Cache-Control", ", ".join(said) or "nothing-to-say"),
    ]
    if say.date is not None:
        fields.append(("Date", date(sent.date)))
    if sent.expires is not None:
        fields.append(("Expires", date(sent.expires)))
    if say.age is not None:
        fields.append(("Age", str(say.age)))
    if shown.vary is not None:
        fields.append(("Vary", shown.vary))
    if say.points is not None and sent.ask.method in UNSAFE:
        fields.append(("Content-Location", HOST + say.points))
    if shown.tag is not None and not bare:
        fields.append(("ETag", shown.tag))
    if shown.modified is not None and not bare:
        fields.append(("Last-Modified", date(shown.modified)))
    return fields
