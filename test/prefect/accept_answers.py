"""
Parses answers of our server with the installed package's own models: the one that its server declares for the operation,
and the client's, where it has one of that name. Reads `{operation: [body, ...]}`, prints `{operation: [problem, ...]}`.
"""

import json
import sys
from typing import Any, get_args, get_origin

import prefect.client.schemas.objects as client_objects
import prefect.client.schemas.responses as client_responses
from prefect.server.api.server import create_app
from pydantic import BaseModel, TypeAdapter, ValidationError

# What the client calls otherwise than the server.
CLIENT_NAMES = {
    "FlowRunResponse": "FlowRun",
    "WorkPoolResponse": "WorkPool",
    "WorkQueueResponse": "WorkQueue",
    "WorkerResponse": "Worker",
}


def client_model(model: Any) -> Any:
    """The client's counterpart of a server model, or of a list of one; None where it has none."""
    if get_origin(model) is list:
        inner = client_model(get_args(model)[0])
        return None if inner is None else list[inner]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    name = CLIENT_NAMES.get(model.__name__, model.__name__)
    found = getattr(client_objects, name, None) or getattr(client_responses, name, None)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def declared_models() -> dict[str, Any]:
    """The model of each operation, as its server declares it."""
    models: dict[str, Any] = {}
    for included in create_app(ephemeral=True).api_app.routes:
        router = getattr(included, "original_router", None)
        prefix = "" if router is None else included.include_context.prefix
        for route in [included] if router is None else router.routes:
            model = getattr(route, "response_model", None)
            for method in route.methods or () if model is not None else ():
                models[f"{method} {prefix}{route.path_format}"] = model
    return models


def problems(model: Any, bodies: list[Any]) -> list[str]:
    adapter = TypeAdapter(model)
    found = []
    for body in bodies:
        try:
            adapter.validate_json(json.dumps(body))
        except ValidationError as error:
            found += [f"{model}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return sorted(set(found))


def main() -> None:
    models = declared_models()
    report: dict[str, list[str]] = {}
    for operation, bodies in json.load(sys.stdin).items():
        model = models.get(operation)
        if model is None:
            continue
        both = [model, client_model(model)]
        report[operation] = [problem for one in both if one is not None for problem in problems(one, bodies)]
    json.dump(report, sys.stdout)


main()
