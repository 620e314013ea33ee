"""Prints the OpenAPI document of the installed package, with the `ui/*` operations that the user interface calls."""

import json
import sys

from prefect.server.api.server import create_app

json.dump(create_app(ephemeral=True).openapi(), sys.stdout)
