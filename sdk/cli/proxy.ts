/**
 * Sends requests and WebSockets through the proxy that HTTP_PROXY and HTTPS_PROXY name. Node does so by itself only when
 * it is told to, and the processes of runs are told by the same variable. Certificates of a proxy are Node's own affair:
 * NODE_EXTRA_CA_CERTS applies to both.
 */
import * as http from "node:http";

/** Tells Node, and the processes that are started from here, to go by the variables. */
const NODE_SWITCH = "NODE_USE_ENV_PROXY";
/** This machine is never reached through a proxy. */
const NEVER_PROXIED = ["localhost", "127.0.0.1", "::1"];

/**
 * Sets the environment up, and this process by it. Answers a sentence for the user when this Node cannot do it; null
 * when all is well, or when no proxy is named.
 */
export function useProxy(environment: NodeJS.ProcessEnv): string | null {
  const named = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].find((name) => environment[name]);
  if (named === undefined) return null;
  const given = (environment["no_proxy"] || environment["NO_PROXY"] || "").split(",").map((entry) => entry.trim());
  const except = [...new Set([...given, ...NEVER_PROXIED].filter((entry) => entry !== ""))].join(",");
  environment["NO_PROXY"] = except;
  environment["no_proxy"] = except;
  if (environment[NODE_SWITCH] !== undefined) return null;
  const set: unknown = Reflect.get(http, "setGlobalProxyFromEnv");
  if (typeof set !== "function") {
    return `${named} is set, and this Node (${process.version}) uses it only when it is started with ${NODE_SWITCH}=1.`;
  }
  environment[NODE_SWITCH] = "1";
  set(environment);
  return null;
}
