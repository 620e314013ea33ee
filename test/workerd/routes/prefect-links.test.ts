/** Addresses of Prefect's UI, as its client prints them. */
import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { createApp } from "../../../worker/app.ts";

describe("an address of Prefect's UI", () => {
  it.for([
    ["/runs/flow-run/01a2001d-20d3-7000-800b-9de801aa4de0", "/runs/01a2001d-20d3-7000-800b-9de801aa4de0"],
    [
      "/deployments/deployment/01a2001d-20d3-7000-800b-9de801aa4de0",
      "/deployments/01a2001d-20d3-7000-800b-9de801aa4de0",
    ],
    ["/work-pools/work-pool/my%20pool", "/work-pools/my%20pool"],
    ["/work-pools/work-pool/%2F%2Fevil.example", "/work-pools/%2F%2Fevil.example"],
  ] as const)("%s leads to the page %s", async ([theirs, ours], { expect }) => {
    const answer = await createApp().fetch(new Request(`http://localhost:4200${theirs}`), env);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, ours]);
  });
});
