/**
 * Runs deployments from a flow, as children of its run, and waits for them: one after the other, and beside each other.
 *
 * Serve the child with `node examples/run-deployment.ts serve`, then run the parent: `node examples/run-deployment.ts`.
 */
import { flow, runDeployment, type State } from "sluice";
import { z } from "zod";

export const region = flow(
  { name: "region", parameters: z.object({ name: z.string() }), flowRunName: "region {name}" },
  async ({ name }) => {
    if (name === "nowhere") throw new Error("there is no such region");
    return name;
  },
);

export const allRegions = flow({ name: "all-regions" }, async ({ names }: { readonly names: readonly string[] }) => {
  const [first = "", ...rest] = names;
  const states: Record<string, State["name"] | null> = {};
  const runOf = async (name: string): Promise<void> => {
    const run = await runDeployment("region/on-demand", { parameters: { name }, timeout: "1m", tags: ["child"] });
    states[name] = run.state_name;
  };
  await runOf(first);
  await Promise.all(rest.map(runOf));
  return states;
});

if (import.meta.main) {
  if (process.argv[2] === "serve") await region.serve({ name: "on-demand" });
  else console.log(await allRegions({ names: ["eu", "us", "nowhere"] }));
}
