"""Reads over the REST API, without Prefect's own client: what is compared is what the server says."""

from __future__ import annotations

import os
import time
from typing import Any

import httpx

PAGE = 200
CHUNK = 50
PATIENCE_S = 60
BUSY = (429, 502, 503)


class Api:
    """A connection to the server that PREFECT_API_URL names."""

    def __init__(self) -> None:
        self.url = os.environ["PREFECT_API_URL"]
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Answers the decoded body. A server that is busy is asked again; any other refusal is raised with its text."""
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._client.request(method, path, json=body, params=params)
            except httpx.TimeoutException:
                if time.monotonic() > give_up_at:
                    raise
                continue
            if answer.status_code in BUSY and time.monotonic() < give_up_at:
                time.sleep(0.5)
                continue
            if answer.is_error:
                raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
            return answer.json() if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, **params)

    def of_runs(self, path: str, kind: str, flow_run_ids: list[str], **more: Any) -> list[Any]:
        """Everything of a kind that belongs to these flow runs, in chunks of them."""
        found: list[Any] = []
        for first in range(0, len(flow_run_ids), CHUNK):
            criterion = {"flow_run_id": {"any_": flow_run_ids[first : first + CHUNK]}}
            found += self.all(path, {kind: criterion, **more})
        return found

    def all(self, path: str, body: dict[str, Any]) -> list[Any]:
        """Every page of a list."""
        found: list[Any] = []
        while True:
            page = self.call("POST", path, {**body, "limit": PAGE, "offset": len(found)})
            found.extend(page)
            if len(page) < PAGE:
                return found
