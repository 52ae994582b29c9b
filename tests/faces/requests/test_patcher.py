"""A cache for the whole program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests import Session

import requests_cache
from http_client_cache.errors import ConfigurationError
from requests_cache import CachedSession
from tests.support.origin import Origin

pytestmark = pytest.mark.parity

PLAIN = requests.Session, requests.sessions.Session
BEGIN = Session.__init__


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    yield
    requests_cache.uninstall_cache()
    assert (requests.Session, requests.sessions.Session) == PLAIN
    assert Session.__init__ is BEGIN
    assert type(requests.Session()) is Session


class Subclass(Session):
    """Of a host application's, with attributes of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.cache = {"name": name}
        self.settings = name
        self.asked: list[str] = []

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.asked.append(url)
        return super().request(method, url, *args, **kwargs)


def test_functions_and_sessions(origin: Origin) -> None:
    url = origin.url("/serial/a")
    requests_cache.install_cache(backend="memory")
    assert requests_cache.is_installed()
    assert not requests.get(url).from_cache  # type: ignore[attr-defined]
    assert requests.get(url).from_cache  # type: ignore[attr-defined]
    for make in (requests.Session, requests.session, requests.sessions.Session):
        session: Any = make()
        assert isinstance(session, CachedSession)
        assert session.get(url).from_cache
        assert session.cache is requests_cache.get_cache()
        assert session.settings is session.cache.settings
    requests_cache.uninstall_cache()
    assert not requests_cache.is_installed()
    assert requests_cache.get_cache() is None
    assert not hasattr(requests.get(url), "from_cache")
    assert not session.get(url).from_cache
    assert origin.count() == 3


def test_subclasses(origin: Origin) -> None:
    url = origin.url("/serial/a")
    before = Subclass("before")
    requests_cache.install_cache(backend="memory")
    requests.get(url)
    session = Subclass("meanwhile")
    assert isinstance(session, Subclass)
    assert type(session).__name__ == "Subclass"
    assert session.get(url).from_cache
    assert session.asked == [url]
    assert session.cache == {"name": "meanwhile"}
    assert session.settings == "meanwhile"
    # What was there before is left in peace.
    assert not hasattr(before.get(url), "from_cache")

    class Later(requests.Session):
        pass

    assert Later().get(url).from_cache  # type: ignore[attr-defined]
    requests_cache.uninstall_cache()
    assert type(Later()) is Later
    assert type(Subclass("after")) is Subclass
    assert origin.count() == 2


def test_disabled(origin: Origin) -> None:
    url = origin.url("/serial/a")
    requests_cache.install_cache(backend="memory")
    requests.get(url)
    session: Any = requests.Session()
    with pytest.raises(ZeroDivisionError), requests_cache.disabled():
        with requests_cache.disabled():
            pass
        assert not session.get(url).from_cache
        assert not requests.get(url).from_cache  # type: ignore[attr-defined]
        raise ZeroDivisionError
    assert requests.get(url).from_cache  # type: ignore[attr-defined]
    requests_cache.uninstall_cache()
    with requests_cache.disabled():
        assert not requests_cache.is_installed()


def test_enabled(origin: Origin) -> None:
    url = origin.url("/serial/a")
    with requests_cache.enabled(backend="memory"):
        outer = requests_cache.get_cache()
        requests.get(url)
        with pytest.raises(ZeroDivisionError), requests_cache.enabled("other", backend="memory"):
            assert not requests.get(url).from_cache  # type: ignore[attr-defined]
            raise ZeroDivisionError
        assert requests_cache.get_cache() is outer
        assert requests.get(url).from_cache  # type: ignore[attr-defined]
    assert not requests_cache.is_installed()


def test_what_cannot_be_installed_changes_nothing() -> None:
    requests_cache.install_cache(backend="memory")
    cache = requests_cache.get_cache()
    with pytest.raises(ConfigurationError, match="expire_after"):
        requests_cache.install_cache(backend="memory", expire_after="soon")
    with pytest.raises(TypeError, match="nonsense"), requests_cache.enabled(nonsense=1):
        pass
    assert requests_cache.get_cache() is cache


def test_what_is_stored(origin: Origin) -> None:
    requests_cache.install_cache(backend="memory", expire_after=0.01)
    requests.get(origin.url("/serial/a"))
    requests.get(origin.url("/serial/b"), expire_after=60)  # type: ignore[call-arg]
    cache = requests_cache.get_cache()
    assert cache is not None
    assert cache.size() == 2
    assert requests_cache.remove_expired_responses(expire_after=360) == 0
    assert cache.size() == 2
    requests_cache.delete(urls=[origin.url("/serial/a")])
    assert cache.size() == 1
    requests_cache.clear()
    assert cache.size() == 0


def test_a_class_of_ones_own(origin: Origin) -> None:
    class Own(CachedSession):
        pass

    requests_cache.install_cache(backend="memory", session_factory=Own)
    assert type(requests.Session()) is Own
    # One that somebody makes on purpose is his own.
    with CachedSession(backend="memory") as session:
        assert type(session) is CachedSession
        assert session.cache is not requests_cache.get_cache()


def test_threads(origin: Origin) -> None:
    """Sessions that begin while others install and uninstall are plain or cached, never broken."""
    failed: list[BaseException] = []
    done = threading.Event()

    def begin() -> None:
        try:
            while not done.is_set():
                requests.Session().close()
                Subclass("x").close()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        requests_cache.install_cache(backend="memory")
        requests_cache.uninstall_cache()
    done.set()
    for thread in threads:
        thread.join(10)
    assert failed == []
    assert requests.get(origin.url("/serial/a")).text == "1"
