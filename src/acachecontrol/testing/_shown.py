"""Lets assertions say what they compared; imported before whatever holds them."""

from __future__ import annotations

from http_client_cache.testing._needs import show_what_was_compared

show_what_was_compared("acachecontrol.testing", "mapping")
