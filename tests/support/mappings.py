"""Mappings that users hand to a cache."""

from __future__ import annotations

from typing import Any


class CustomCacheBackend:
    """The sample of the document, with types.

    It has neither ``get`` nor a default for ``pop``, answers ``popitem`` with the value alone, and
    lists a key that is set twice two times.
    """

    def __init__(self) -> None:
        self.item_order: list[Any] = []
        self.storage: dict[Any, Any] = {}

    def __contains__(self, key: Any) -> bool:
        return key in self.storage

    def __len__(self) -> int:
        return len(self.storage)

    def __getitem__(self, key: Any) -> Any:
        return self.storage[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.storage[key] = value
        self.item_order.append(key)

    def pop(self, key: Any) -> Any:
        self.item_order.remove(key)
        return self.storage.pop(key)

    def move_to_end(self, key: Any) -> None:
        last_index = len(self.item_order) - 1
        key_index = self.item_order.index(key)
        while key_index < last_index:
            self.item_order[key_index] = self.item_order[key_index + 1]
            key_index += 1
        self.item_order[last_index] = key

    def popitem(self, last: bool = True) -> Any:
        key = self.item_order.pop() if last else self.item_order.pop(0)
        return self.storage.pop(key)
