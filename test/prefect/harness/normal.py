"""Takes out of a text what differs from one run to the next: ids, times, generated names, addresses, folders."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

HERE = str(Path(__file__).resolve().parent.parent)

PATTERNS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[0-9a-f]{32,64}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d| UTC(\.\d+)?)?"), "<time>"),
    (re.compile(r"0x[0-9a-f]{6,}"), "<address>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<server>"),
    (re.compile(r"\b\d+\.\d{6,}\b"), "<number>"),
    # A task run is named after its task and the first digits of a random key; the key of a task hashes the path of its file.
    (re.compile(r"(?<=[A-Za-z])-([0-9a-f]{3}|[0-9a-f]{8})(?=$|['\"\s,.:)])"), "-<key>"),
    (re.compile(r"\b(process|pid|PID)([ =:]+)\d+"), r"\1\2<pid>"),
]


class Normaliser:
    """Knows the generated names of one scenario's runs."""

    def __init__(self, generated: set[str]) -> None:
        names = sorted(generated, key=len, reverse=True)
        self._names = re.compile("|".join(re.escape(name) for name in names)) if names else None
        home = os.environ.get("PREFECT_HOME", "")
        self._folders = [(folder, word) for folder, word in [
            (home, "<home>"), (str(Path.home() / ".prefect"), "<home>"), (HERE, "<here>"), (tempfile.gettempdir(), "<temp>"),
        ] if folder]

    def text(self, text: str) -> str:
        for folder, word in self._folders:
            text = text.replace(folder, word)
        if self._names is not None:
            # Two runs may have the same name, so whose it is cannot be said.
            text = self._names.sub("<name>", text)
        for pattern, word in PATTERNS:
            text = pattern.sub(word, text)
        return text

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value
