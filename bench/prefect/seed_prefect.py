"""Reads seeded runs, a JSON object a line, from a file and inserts them in bulk into the database of a Prefect server.

Usage: seed_prefect.py FILE, with PREFECT_SERVER_DATABASE_CONNECTION_URL set.
"""

import asyncio
import json
import sys
from datetime import datetime, timedelta, timezone
from uuid import UUID

import sqlalchemy as sa
from prefect.server.database import provide_database_interface

BATCH_ROWS = 5_000


def time_of(ms):
    return None if ms is None else datetime.fromtimestamp(ms / 1000, timezone.utc)


def run_row(run):
    ended = run["start_time"] is not None and run["end_time"] is not None
    return {
        "id": UUID(run["id"]),
        "flow_id": UUID(run["flow_id"]),
        "deployment_id": UUID(run["deployment_id"]) if run["deployment_id"] else None,
        "name": run["name"],
        "tags": run["tags"],
        "state_type": run["state_type"],
        "state_name": run["state_name"],
        "state_timestamp": state_time(run),
        "run_count": 1,
        "expected_start_time": time_of(run["expected_start_time"]),
        "start_time": time_of(run["start_time"]),
        "end_time": time_of(run["end_time"]),
        "total_run_time": timedelta(milliseconds=run["end_time"] - run["start_time"] if ended else 0),
        "created": time_of(run["expected_start_time"]),
        "updated": time_of(run["expected_start_time"]),
    }


def state_row(run):
    return {
        "id": UUID(run["state_id"]),
        "flow_run_id": UUID(run["id"]),
        "type": run["state_type"],
        "name": run["state_name"],
        "timestamp": state_time(run),
        "state_details": {"flow_run_id": run["id"]},
    }


def state_time(run):
    return time_of(run["end_time"] or run["start_time"] or run["expected_start_time"])


async def main(path):
    db = provide_database_interface()
    with open(path, encoding="utf-8") as lines:
        runs = [json.loads(line) for line in lines]
    engine = await db.engine()
    async with engine.begin() as connection:
        for first in range(0, len(runs), BATCH_ROWS):
            batch = runs[first : first + BATCH_ROWS]
            await connection.execute(db.FlowRun.__table__.insert(), [run_row(run) for run in batch])
            await connection.execute(db.FlowRunState.__table__.insert(), [state_row(run) for run in batch])
        run, state = db.FlowRun.__table__, db.FlowRunState.__table__
        current = sa.select(state.c.id).where(state.c.flow_run_id == run.c.id).scalar_subquery()
        await connection.execute(run.update().values(state_id=current))
    # PostgreSQL would do so by itself some minutes later; both plan better with it.
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("ANALYZE"))


asyncio.run(main(sys.argv[1]))
