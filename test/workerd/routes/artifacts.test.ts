import { beforeAll, describe, it } from "vitest";
import { call, freshName, type Named } from "../support/api.ts";

const key = freshName("report").toLowerCase();
const ids: Record<string, string> = {};

beforeAll(async () => {
  const flow = (await call<Named>("POST", "/flows/", { name: freshName("artifacts") })).body;
  const run = (await call<Named>("POST", "/flow_runs/", { flow_id: flow.id })).body;
  const make = async (name: string, body: object) => {
    ids[name] = (await call<Named>("POST", "/artifacts/", body)).body.id;
  };
  await make("old", { key, type: "markdown", data: "1", flow_run_id: run.id });
  await make("new", { key, type: "table", data: [], flow_run_id: run.id });
  await make("alone", { key: `${key}-alone`, type: "link", data: "x" });
});

async function find(path: string, filter: object): Promise<string[]> {
  const found = (await call<Named[]>("POST", path, { sort: "KEY_ASC", ...filter })).body;
  return found.flatMap(({ id }) => Object.keys(ids).filter((name) => ids[name] === id)).toSorted();
}

describe("artifacts", () => {
  it.for<[filter: object, found: readonly string[]]>([
    [{ artifacts: { key: { any_: [key] }, type: { any_: ["link"] } } }, []],
    [{ artifacts: { operator: "or_", key: { any_: [key] }, type: { any_: ["link"] } } }, ["alone", "new", "old"]],
    [{ artifacts: { key: { like_: key }, type: { not_any_: [] } } }, ["alone", "new", "old"]],
    [{ artifacts: { key: { like_: key }, type: { not_any_: ["table"] } } }, ["alone", "old"]],
    // A filter without criteria asks for those that have a flow run at all.
    [{ artifacts: { key: { like_: key } }, flow_runs: {} }, ["new", "old"]],
    [{ artifacts: { key: { like_: key } }, task_runs: {} }, []],
  ])("of %j are %j", async ([filter, found], { expect }) => {
    expect(await find("/artifacts/filter", filter)).toEqual(found);
  });

  it("have one latest of each key", async ({ expect }) => {
    const filter = { artifacts: { operator: "or_", key: { any_: [key] }, type: { any_: ["link"] } } };
    expect(await find("/artifacts/latest/filter", filter)).toEqual(["alone", "new"]);
  });
});
