/** `sluice version` */
import { programVersion } from "../../server/program.ts";
import { defineCommand } from "../command.ts";

interface Versions {
  readonly version: string;
  readonly node: string;
  readonly api_url: string;
  /** Null when no server answers there. */
  readonly server: string | null;
}

export const version = defineCommand({
  noun: "version",
  verb: null,
  summary: "Print the version of this program, and of the server it talks to.",
  arguments: {},
  options: {},
  async run({ connection, output }) {
    const server = await serverVersion(connection.apiUrl, connection.apiKey);
    const versions: Versions = {
      version: programVersion(),
      node: process.version,
      api_url: connection.apiUrl,
      server,
    };
    output.item(versions, [
      { title: "sluice", value: (v) => v.version },
      { title: "node", value: (v) => v.node },
      { title: "api", value: (v) => v.api_url },
      { title: "server", value: (v) => v.server ?? "does not answer" },
    ]);
    return undefined;
  },
});

async function serverVersion(apiUrl: string, apiKey: string | undefined): Promise<string | null> {
  try {
    const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const answer = await fetch(`${apiUrl}/server`, { headers, signal: AbortSignal.timeout(1_000) });
    const body: unknown = answer.ok ? await answer.json() : null;
    return typeof body === "object" && body !== null && "version" in body ? String(body.version) : null;
  } catch {
    // No server, or no Sluice: the version of this program is the answer all the same.
    return null;
  }
}
