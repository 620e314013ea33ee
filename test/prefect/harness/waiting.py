"""Waits for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, ask: Callable[[], T], within_s: float = 30) -> T:
    """Asks again and again until the answer is true. Raises when time is up, with the last answer."""
    give_up_at = time.monotonic() + within_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"Waited {within_s} s in vain: {what}. The last answer was {answer!r}.")
        time.sleep(0.1)
