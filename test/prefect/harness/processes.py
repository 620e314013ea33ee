"""Processes of Prefect beside the scenario's own: the command line, a worker, a task worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FLOWS = Path(__file__).resolve().parent.parent / "flows"


def prefect(*words: str, cwd: str | None = None, within_s: float = 150) -> subprocess.CompletedProcess[str]:
    """Types a command and waits for its end. The output is merged."""
    return subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=cwd, timeout=within_s, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )


@contextlib.contextmanager
def running(*words: str, cwd: str | None = None, stop: int = signal.SIGTERM) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on until the block ends; then it is told to stop, by default as a supervisor does."""
    process = subprocess.Popen([sys.executable, *words], cwd=cwd, stdout=sys.stderr, stderr=sys.stderr, env=os.environ)
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
