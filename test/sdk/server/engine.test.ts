import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { describe, it } from "vitest";
import { configure } from "../../../sdk/server/engine.ts";
import { splitStatements } from "../../../sdk/server/migrate.ts";
import { allowedHosts, checkExposure, readHost } from "../../../sdk/server/preflight.ts";

const TOML = readFileSync(new URL("../../../wrangler.toml", import.meta.url), "utf8");
const DECLARED = parse(TOML);
/** What workerd 1.20261117.1 says that it accepts. */
const ACCEPTED =
  "$schema name main compatibility_date compatibility_flags vars durable_objects exports migrations kv_namespaces triggers queues workflows d1_databases no_bundle assets".split(
    " ",
  );

describe("the configuration of the engine", () => {
  const { name, configuration } = configure(TOML, { SLUICE_MODE: "embedded", SLUICE_BOOT_TOKEN: "t" });

  it("has only keys that the engine accepts", ({ expect }) => {
    expect(Object.keys(configuration).filter((key) => !ACCEPTED.includes(key))).toEqual([]);
  });

  it("has every binding of wrangler.toml", ({ expect }) => {
    expect(name).toBe("sluice");
    expect(configuration).toMatchObject({
      main: "worker.js",
      no_bundle: true,
      d1_databases: [{ binding: "DB" }],
      durable_objects: DECLARED["durable_objects"],
      exports: DECLARED["exports"],
      queues: DECLARED["queues"],
      triggers: { crons: ["* * * * *"] },
      assets: { directory: "./ui", binding: "ASSETS" },
    });
  });

  it("keeps the variables of wrangler.toml, less those that are given", ({ expect }) => {
    expect(configuration).toMatchObject({
      vars: { SLUICE_HEARTBEAT_MS: "10000", SLUICE_MODE: "embedded", SLUICE_BOOT_TOKEN: "t" },
    });
  });
});

describe("a migration file", () => {
  it("is split where drizzle-kit says so, not at semicolons", ({ expect }) => {
    const sql =
      "CREATE TABLE a (b text DEFAULT ';');\n--> statement-breakpoint\nCREATE INDEX c ON a (b);\n--> statement-breakpoint\n";
    expect(splitStatements(sql)).toEqual(["CREATE TABLE a (b text DEFAULT ';');", "CREATE INDEX c ON a (b);"]);
  });
});

describe("the address to listen on", () => {
  it.for([
    ["127.0.0.1", "127.0.0.1"],
    ["localhost", "127.0.0.1"],
    ["[::1]", "::1"],
    ["0.0.0.0", "0.0.0.0"],
  ] as const)("%s means %s", ([host, ip], { expect }) => {
    expect(readHost(host)).toBe(ip);
  });

  it.for(["example.test", "", "127.0.0.1:4200", "http://127.0.0.1"])("refuses %j in words", (host, { expect }) => {
    expect(() => readHost(host)).toThrow(`The host "${host}" is not an IP address.`);
  });

  it.for(["127.0.0.1", "127.9.9.9", "::1"])("%s needs no root key", (ip, { expect }) => {
    expect(() => checkExposure(ip, undefined)).not.toThrow();
  });

  it.for(["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "::ffff:127.0.0.1"])("%s needs a root key", (ip, { expect }) => {
    for (const none of [undefined, ""]) expect(() => checkExposure(ip, none)).toThrow("no root key is set");
    expect(() => checkExposure(ip, "key")).not.toThrow();
  });

  it("is a name of the server, with this machine's own for a wildcard", ({ expect }) => {
    expect(allowedHosts("192.0.2.1", ["sluice.test"])).toEqual(["sluice.test", "192.0.2.1"]);
    expect(allowedHosts("fd00::1", [])).toEqual(["[fd00::1]"]);
    expect(allowedHosts("0.0.0.0", [])).toContain("127.0.0.1");
  });
});
