"""Flows as people write them. Each function under `@scenario` is one line of the report."""
