"""Types commands of `prefect` one after another in one process, since each process of its own would take seconds.

Reads a JSON list of commands (lists of words) and writes a JSON list of [exit code, output].
"""

from __future__ import annotations

import json
import sys

from prefect.testing.cli import CycloptsCliRunner


def main() -> None:
    out = sys.stdout
    runner = CycloptsCliRunner()
    answers = []
    for words in json.load(sys.stdin):
        result = runner.invoke(words)
        answers.append([result.exit_code, result.stdout + result.stderr])
    json.dump(answers, out)


main()
