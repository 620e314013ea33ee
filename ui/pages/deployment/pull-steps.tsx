import type { JsonObject } from "#protocol/flow-runs";

/** Of all that a step says, what tells where the code comes from. */
const TOLD = ["repository", "branch", "commit_sha", "bucket", "folder", "directory", "script"] as const;

/** What a worker does before each run to have its code. */
export function PullSteps({ steps }: { readonly steps: readonly JsonObject[] }) {
  const said = steps.flatMap((step) => Object.entries(step)).map(([address, given]) => textOf(address, given));
  return (
    <>
      <dt>Fetched by</dt>
      <dd className="mono" style={{ whiteSpace: "pre-wrap" }}>
        {said.join("\n")}
      </dd>
    </>
  );
}

/** `git_clone https://… main` of an address that ends in `git_clone`; names and passwords of an URL are left out. */
function textOf(address: string, given: unknown): string {
  const inputs: Record<string, unknown> = typeof given === "object" && given !== null ? { ...given } : {};
  const told = TOLD.flatMap((key) =>
    typeof inputs[key] === "string" ? [inputs[key].replace(/\/\/[^/@]+@/, "//")] : [],
  );
  return [address.split(".").at(-1), ...told].join(" ");
}
