/** What a script may rely on of a command that fails. */
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, describe, it, vi } from "vitest";
import { CliError, readError } from "../../../sdk/cli/errors.ts";
import { useProxy } from "../../../sdk/cli/proxy.ts";
import { ApiUnreachableError } from "../../../sdk/client/index.ts";
import { ERROR_STATUS, type ErrorCode, SluiceError } from "../../../sdk/protocol/errors.ts";

const OF_CODE: Partial<Record<ErrorCode, number>> = {
  unauthorized: 4,
  forbidden: 4,
  foreign_host: 4,
  not_found: 5,
  not_ready: 3,
  overloaded: 3,
  not_configured: 3,
};

describe("the exit code", () => {
  it.for(Object.keys(ERROR_STATUS) as ErrorCode[])("of the API's code %s is what the docs say", (code, { expect }) => {
    expect(readError(new SluiceError(code, "No.", { fix: "Do." })).exitCode).toBe(OF_CODE[code] ?? 1);
  });

  it.for<[what: string, error: unknown, exitCode: number, code: string]>([
    ["an API that is away", new ApiUnreachableError("http://a", "ECONNREFUSED"), 3, "unreachable"],
    ["a command line that is not understood", new CliError("No.", { fix: "Do." }), 2, "usage"],
    ["a fault of Sluice", new TypeError("undefined is not a function"), 1, "unexpected"],
    ["something thrown that is no error", "no", 1, "unexpected"],
  ])("of %s", ([, error, exitCode, code], { expect }) => {
    const read = readError(error);
    expect([read.exitCode, read.shown.code]).toEqual([exitCode, code]);
  });
});

describe("a proxy of the environment", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  /** In place of Node's own switch: the other tests of this process go on as they are. */
  function switched() {
    const node = http as unknown as { setGlobalProxyFromEnv(environment: unknown): void };
    const set = vi.spyOn(node, "setGlobalProxyFromEnv").mockReturnValue();
    syncBuiltinESMExports();
    return set;
  }

  it("is used for everything but this machine and what is excepted", ({ expect }) => {
    const set = switched();
    const environment: NodeJS.ProcessEnv = { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: "intern.example, 127.0.0.1" };
    expect(useProxy(environment)).toBeNull();
    expect(environment["NO_PROXY"]?.split(",")).toEqual(["intern.example", "127.0.0.1", "localhost", "::1"]);
    expect(environment["no_proxy"]).toBe(environment["NO_PROXY"]);
    // For the processes of runs.
    expect(environment["NODE_USE_ENV_PROXY"]).toBe("1");
    expect(set).toHaveBeenCalledWith(environment);
  });

  it("is left to Node where Node was told what to do, and nothing is done where there is none", ({ expect }) => {
    const set = switched();
    expect(useProxy({ HTTPS_PROXY: "http://proxy:3128", NODE_USE_ENV_PROXY: "0" })).toBeNull();
    const none: NodeJS.ProcessEnv = {};
    expect(useProxy(none)).toBeNull();
    expect([none, set.mock.calls.length]).toEqual([{}, 0]);
  });
});
