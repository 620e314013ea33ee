"""Reads a list of questions about schedules and prints the answers of Prefect's server.

A question is {"schedule": …, "start": ISO time, "count": n}; its answer is a list of microseconds since 1970 in
ascending order, or null when Prefect does not take the schedule, or fails to find its times.
"""

import calendar
import datetime
import json
import sys

from pydantic import TypeAdapter

from prefect._vendor.croniter.croniter import CroniterBadDateError
from prefect.server.schemas.schedules import SCHEDULE_TYPES

ADAPTER = TypeAdapter(SCHEDULE_TYPES)


def answer(question):
    try:
        schedule = ADAPTER.validate_python(question["schedule"])
    except (ValueError, TypeError, IndexError):
        return None
    if question["count"] == 0:
        return []
    start = datetime.datetime.fromisoformat(question["start"])
    dates = schedule._get_dates_generator(n=question["count"], start=start)
    try:
        return sorted({micros(date) for date in dates})
    except CroniterBadDateError:
        return None


def micros(date):
    whole = date.astimezone(datetime.timezone.utc)
    seconds = calendar.timegm(whole.timetuple())
    return seconds * 1_000_000 + whole.microsecond


print(json.dumps([answer(question) for question in json.load(sys.stdin)]))
