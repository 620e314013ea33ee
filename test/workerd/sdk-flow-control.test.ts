/** Flow control as programs say it, kept by the real control plane. */
import { exports } from "cloudflare:workers";
import { afterAll, beforeAll, describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { flow, SluiceError, setFlowControl } from "../../sdk/index.ts";
import { aPool, call, freshName } from "./support/api.ts";

interface Order {
  readonly customer: { readonly id: string };
}

let restore: () => void;
beforeAll(() => {
  restore = configure({
    apiUrl: "http://localhost:4200/api",
    fetch: ((input: string, init: RequestInit) => exports.default.fetch(input, init)) as typeof fetch,
    echoLogs: false,
  });
});
afterAll(() => restore());

const NONE = { time_to_live_seconds: null, concurrency: null, on_lost: null, debounce: null, throttle: null };

async function deployed(options: object = {}) {
  const { name: workPool } = await aPool();
  const ship = flow({ name: freshName("ship") }, async (order: Order) => order);
  const deploy = (more: object) =>
    ship.deploy({ name: "daily", workPool, entrypoint: "flows/ship.ts:ship", path: "/flows", ...more });
  await deploy(options);
  const kept = async () => {
    const { id } = (await call<{ id: string }>("GET", `/deployments/name/${ship.name}/daily`)).body;
    return (await call("GET", `/deployments/${id}/flow_control`)).body;
  };
  return { ship, deploy, kept };
}

describe("setFlowControl()", () => {
  it("is kept as it was said, and what is left out ceases to hold", async ({ expect }) => {
    const { ship, kept } = await deployed();
    expect(await kept()).toEqual(NONE);
    await setFlowControl(ship, "daily", {
      concurrency: { key: (order) => order.customer.id, limit: 2, strategy: "round-robin" },
      debounce: { wait: "1m" },
      throttle: { key: "tags.0", limit: 3, per: "1h" },
      timeToLive: 500,
      onLost: "retry",
    });
    const throttle = { key: "tags.0", limit: 3, seconds: 3_600 };
    expect(await kept()).toEqual({
      concurrency: { key: "parameters.customer.id", limit: 2, strategy: "round-robin" },
      debounce: { key: null, seconds: 60 },
      throttle,
      time_to_live_seconds: 0.5,
      on_lost: "retry",
    });
    await setFlowControl(ship, "daily", { throttle: { key: "tags.0", limit: 3, per: "1h" } });
    expect(await kept()).toEqual({ ...NONE, throttle });
    await setFlowControl(ship, "daily", {});
    expect(await kept()).toEqual(NONE);
  });

  it("refuses a deployment that is not there, and limits that cannot be", async ({ expect }) => {
    const { ship, kept } = await deployed();
    await expect(setFlowControl(ship, "hourly", {})).rejects.toThrow(SluiceError);
    await expect(setFlowControl(ship, "daily", { concurrency: { limit: 0 } })).rejects.toThrow();
    expect(await kept()).toEqual(NONE);
  });
});

describe("deploy()", () => {
  it("says flow control with the deployment, and leaves it when it says nothing of it", async ({ expect }) => {
    const { deploy, kept } = await deployed({ flowControl: { concurrency: { key: "parameters.customer.id" } } });
    const concurrency = { key: "parameters.customer.id", limit: 1, strategy: "queue" };
    expect(await kept()).toEqual({ ...NONE, concurrency });
    await deploy({ description: "says nothing of it" });
    expect(await kept()).toEqual({ ...NONE, concurrency });
    await deploy({ onLost: "retry" });
    expect(await kept()).toEqual({ ...NONE, concurrency, on_lost: "retry" });
    await deploy({ flowControl: { debounce: { wait: 1_000 } } });
    expect(await kept()).toEqual({ ...NONE, debounce: { key: null, seconds: 1 } });
  });
});
