"""The same as no-ops.ts with Prefect's client: `no_ops.py TASKS MAPPED`."""

import json
import sys
import time

from prefect import flow, task

tasks, mapped = (int(word) for word in sys.argv[1:3])


@task
def no_op(index):
    return None


@flow
def in_sequence(count):
    for index in range(count):
        no_op(index)


@flow
def by_map(count):
    no_op.map(range(count)).wait()


def per_second(run, count):
    begin = time.perf_counter()
    run(count)
    return count / (time.perf_counter() - begin)


in_sequence(10)
print(json.dumps({"sequence": per_second(in_sequence, tasks), "map": per_second(by_map, mapped)}))
