"""A flow whose first line says when it was reached; beside first-line.ts."""

import time

from prefect import flow


@flow(name="first-line")
def first_line(trace: str) -> None:
    with open(trace, "a") as file:
        file.write(f"{time.time() * 1000}\n")
