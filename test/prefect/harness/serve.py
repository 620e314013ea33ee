"""
Runs scenarios on request, several at once in one process, since importing Prefect takes seconds.

A request is a line of standard input, an answer a line of standard output:
`{"run": NAME}` runs it and answers its transcript; `{"read": NAME}` reads the transcript again.
The first line of output lists the scenarios.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

# Prefect imports this one late, from several threads at once, in which Python may see a deadlock.
import fastapi.encoders  # noqa: F401
from harness.api import Api
from harness.normal import HERE
from harness.scenario import Notes, Scenario, load_scenarios
from harness.transcript import Transcriber
from prefect.events.worker import EventsWorker

#: Two readings that far apart must agree before a transcript counts; Prefect's server records task runs with a delay.
SETTLE_S = float(os.environ.get("SETTLE_S", "0.3"))
SETTLE_WITHIN_S = 20.0


class Sessions:
    """What has been run in this process, and the one way out of it."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._notes: dict[str, Notes] = {}
        self._scenarios = load_scenarios()

    def say(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(answer) + "\n")
            self._out.flush()

    def introduce(self) -> None:
        self.say({"scenarios": [
            {"name": item.name, "notYet": item.not_yet, "notQuick": item.not_quick, "deadlineS": item.deadline_s}
            for item in self._scenarios.values()
        ]})

    def run(self, name: str) -> None:
        scenario = self._scenarios[name]
        notes = self._notes[name] = Notes()
        error = None
        try:
            scenario.run(notes)
        except BaseException as raised:
            error = told(raised)
        self._answer(name, error, lambda: settled(scenario, notes))

    def read(self, name: str) -> None:
        self._answer(name, None, lambda: read(self._scenarios[name], self._notes[name])[0])

    def _answer(self, name: str, error: str | None, transcribe: Any) -> None:
        transcript = None
        try:
            transcript = transcribe()
        except Exception as raised:
            error = f"{error or ''}{told(raised)}"
        self.say({"name": name, "error": error, "transcript": transcript})


def told(error: BaseException) -> str:
    """What was raised and, of the way there, the lines of scenarios and harness."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(HERE)]
    lines = [f"{Path(frame.filename).name}:{frame.lineno}: {frame.line}" for frame in frames]
    return "\n".join([f"{type(error).__name__}: {error}"[:2000], *lines, ""])


def read(scenario: Scenario, notes: Notes) -> tuple[dict[str, Any], bool]:
    return Transcriber(Api(), scenario, notes).read()


def settled(scenario: Scenario, notes: Notes) -> dict[str, Any]:
    """Reads until two readings agree and every run has ended, or until time is up: then the last one stands."""
    give_up_at = time.monotonic() + SETTLE_WITHIN_S
    last = None
    while True:
        transcript, ended = read(scenario, notes)
        if transcript == last and (ended or not scenario.ends):
            return transcript
        if time.monotonic() > give_up_at:
            return transcript
        last = transcript
        time.sleep(SETTLE_S)


def main() -> None:
    # Flows print: what they print must not stand between the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    # Its thread inherits the context of whoever starts it: were that a flow, tasks without a flow would be said to be its.
    EventsWorker.instance()
    sessions = Sessions(out)
    sessions.introduce()
    for line in sys.stdin:
        [(verb, name)] = json.loads(line).items()
        work = {"run": sessions.run, "read": sessions.read}[verb]
        threading.Thread(target=work, args=(name,), daemon=True).start()
    # Neither threads of scenarios that hang nor processes that these started stay. It leads a process group of its own.
    os.killpg(os.getpid(), signal.SIGKILL)


main()
