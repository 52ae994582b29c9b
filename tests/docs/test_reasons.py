"""The page of reasons: it is what `make reasons` writes, and says something about each of them."""

from __future__ import annotations

import pytest

from http_client_cache.rfc9111.reasons import Reason
from http_client_cache.rfc9111.structured import parse_list
from scripts.reasons import EXAMPLES, NAME, PAGE, divided, linked, page, texts


def test_the_page_is_what_make_reasons_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make reasons`"


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_one_row(reason: Reason) -> None:
    rows = [line for line in page().splitlines() if line.startswith(f"| `{reason.name}` |")]
    assert len(rows) == 1
    assert texts()[reason] in rows[0]


@pytest.mark.parametrize("reason", Reason)
def test_each_rule_can_be_read(reason: Reason) -> None:
    happened, links = divided(reason)
    assert "section" not in happened
    assert bool(links) == ("RFC" in reason.value)


def test_texts_are_sentences_of_their_own() -> None:
    said = texts().values()
    assert all(text.endswith(".") for text in said)
    assert len(set(said)) == len(Reason)


@pytest.mark.parametrize(
    ("rule", "links"),
    [
        ("9111 section 4.2", "[RFC 9111, 4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)"),
        (
            "6585 sections 3 to 6",
            (
                "[RFC 6585, 3](https://www.rfc-editor.org/rfc/rfc6585#section-3) to "
                "[6](https://www.rfc-editor.org/rfc/rfc6585#section-6)"
            ),
        ),
    ],
)
def test_rules_are_links(rule: str, links: str) -> None:
    assert linked(rule) == links


@pytest.mark.parametrize("rule", ["9111", "section 4", "9111 sections 4", "9111 section 4 and 5"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        linked(rule)


def test_the_examples_are_fields() -> None:
    assert parse_list([status.field(NAME) for status in EXAMPLES]) is not None
