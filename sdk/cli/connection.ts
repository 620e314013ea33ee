/** Which control plane the commands talk to. */
import type { Connection } from "./command.ts";
import { CliError } from "./errors.ts";

export const DEFAULT_API_URL = "http://127.0.0.1:4200/api";

export function readConnection(environment: NodeJS.ProcessEnv): Connection {
  const given = environment["SLUICE_API_URL"] || DEFAULT_API_URL;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliError(`SLUICE_API_URL is "${given}", which is not an http or https address.`, {
      fix: `Set it to where the server listens, e.g. SLUICE_API_URL=${DEFAULT_API_URL}`,
    });
  }
  return { apiUrl: given.replace(/\/+$/, ""), apiKey: environment["SLUICE_API_KEY"] || undefined };
}
