"""Where other classes stand between the cache and aiohttp: they see only what goes out.

Whether a request goes out is found out before they are asked. It costs building the request
twice, and only sessions with such classes pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aiohttp import FormData
from aiohttp.helpers import strip_auth_from_url
from aiohttp.payload import PAYLOAD_REGISTRY, JsonPayload, LookupError, Payload  # noqa: A004

from aiohttp_client_cache.hop import Origin, not_sent
from aiohttp_client_cache.request import engine_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import ClientRequest, ClientSession
    from aiohttp.typedefs import StrOrURL

    from aiohttp_client_cache.session import CacheMixin
    from http_client_cache.options import Options


async def pass_gate(
    session: CacheMixin,
    method: str,
    target: StrOrURL,
    options: Options,
    kwargs: dict[str, Any],
) -> bool:
    """Whether a request is answered without going out.

    If it is not, its lease is taken already (``options.chain``), so that of many requests for
    one key only one goes out; where RFC 9111 decides, ``serve`` takes it later.
    """
    engine = session.cache.engine
    if options.only_if_cached:
        return True
    settings = session.cache.settings
    if options.disabled or method not in settings.allowed_methods:
        return False
    try:
        preview = await _preview(session, method, target, kwargs)
    except Exception:  # noqa: BLE001 - aiohttp raises the same again, where it belongs
        return False
    request = engine_request(preview)
    # The user's filter may want to see what is stored.
    presenter = Origin(preview, not_sent, engine)
    return await engine.admit(request, options, presenter)


async def _preview(
    session: ClientSession, method: str, target: StrOrURL, kwargs: dict[str, Any]
) -> ClientRequest:
    """The request as aiohttp will build it."""
    url, auth = strip_auth_from_url(session._build_url(target))
    auth = kwargs.get("auth") or auth or session._default_auth
    if auth is None and session._trust_env and url.host is not None:
        auth = await session._loop.run_in_executor(None, session._get_netrc_auth, url.host)
    return session._request_class(
        method,
        url,
        params=kwargs.get("params") or {},
        headers=session._prepare_headers(kwargs.get("headers")),
        skip_auto_headers=kwargs.get("skip_auto_headers") or session.skip_auto_headers or None,
        data=_payload(session, kwargs),
        cookies=session._cookie_jar.filter_cookies(url),
        auth=auth,
        version=session._version,
        loop=session._loop,
        session=session,
    )


def _payload(session: ClientSession, kwargs: dict[str, Any]) -> Payload | None:
    """The body, in a form that can be looked at here and sent later."""
    if kwargs.get("json") is not None:
        return JsonPayload(kwargs["json"], dumps=session._json_serialize)
    data: Any = kwargs.get("data")
    if data is None:
        return None
    if isinstance(data, FormData):
        data = data()  # A form turns into a body but once.
    try:
        payload = PAYLOAD_REGISTRY.get(data, disposition=None)
    except LookupError:
        payload = FormData(cast("Iterable[Any]", data))()
    kwargs["data"] = payload
    return payload
