"""What a scenario is: a function that runs flows, and a notebook for what these saw."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Notes:
    """What the program itself saw, beside what the server knows: results, exceptions, output of commands."""

    entries: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, value: Any) -> None:
        """Writes down a value that JSON can hold. Ids, times and generated names may stand in it."""
        self.entries[key] = value

    def state(self, key: str, state: Any) -> None:
        """Writes down the state that the client holds at the end."""
        self.add(key, {"type": state.type.value, "name": state.name, "message": state.message})

    def raised(self, key: str, call: Callable[[], Any]) -> None:
        """Calls, and writes down the class and the text of what was raised, or the value."""
        try:
            self.add(key, {"value": call()})
        except Exception as error:
            self.add(key, {"raised": type(error).__name__, "text": str(error)})


@dataclass(frozen=True)
class Scenario:
    """One line of the report. Its flows and its tasks without a flow have names that begin with its own name."""

    name: str
    run: Callable[[Notes], None]
    #: Why Sluice cannot pass it yet. Empty: it can.
    not_yet: str
    #: Why it is left out where time is short. Empty: it is not.
    not_quick: str
    #: A scenario that takes longer has failed.
    deadline_s: float
    #: Whether its runs have all ended when it has; otherwise they are written down as they are.
    ends: bool


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str, *, not_yet: str = "", not_quick: str = "", deadline_s: float = 120, ends: bool = True
) -> Callable[[Callable[[Notes], None]], Callable[[Notes], None]]:
    """Makes a scenario of the function below. The name is that of its transcript."""

    def register(run: Callable[[Notes], None]) -> Callable[[Notes], None]:
        if name in SCENARIOS:
            raise ValueError(f"Two scenarios have the name {name!r}.")
        SCENARIOS[name] = Scenario(name, run, not_yet, not_quick, deadline_s, ends)
        return run

    return register


def load_scenarios() -> dict[str, Scenario]:
    """Imports every module of `flows`."""
    import flows

    for module in pkgutil.iter_modules(flows.__path__):
        importlib.import_module(f"flows.{module.name}")
    return SCENARIOS
