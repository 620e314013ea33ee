/** The URL of an http pool is looked at when it is set, and not only at the first push. */
import { SluiceError } from "#protocol/errors";
import type { JsonObject } from "#protocol/flow-runs";
import { allowsPrivateTargets } from "./attempt.ts";
import { defaultsOf, refusedAddress } from "./target-address.ts";

/** Throws `validation` for a template whose default URL may not be called. One without a default leaves it to deployments. */
export function checkPoolUrl(env: Env, template: JsonObject): void {
  const { url } = defaultsOf(template);
  if (typeof url !== "string" || url === "") return;
  const refused = refusedAddress(url, allowsPrivateTargets(env));
  if (refused === null) return;
  throw new SluiceError("validation", refused, {
    fix: "Set the default of the variable url in base_job_template to where serveFlows() listens; see docs/http-pools.md.",
    issues: [
      {
        loc: ["body", "base_job_template", "variables", "properties", "url", "default"],
        msg: refused,
        type: "value_error",
        input: url,
      },
    ],
  });
}
