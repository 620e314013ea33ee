/** Endpoints that the tiny control plane does not have, answered in front of it by what a test says. */
import { configure } from "../../sdk/index.ts";
import type { TinyControlPlane } from "./tiny-control-plane.ts";

/** Answers a request to a path with these parts, or null to let the plane answer. */
export type Scripted = (path: readonly string[], body: Record<string, unknown>) => Promise<unknown> | unknown;

/** Runs of this process go to the plane, and their requests through the script first. */
export function scripted(plane: TinyControlPlane, script: Scripted): Disposable {
  const restore = configure({
    apiUrl: plane.url,
    echoLogs: false,
    runLogs: "none",
    fetch: async (input, init) => {
      const path = new URL(String(input)).pathname.replace(/^\/api\//, "").split("/");
      const body = JSON.parse(String(init?.body ?? "{}")) as Record<string, unknown>;
      const answer = await script(path, body);
      return answer === null ? await fetch(input, init) : Response.json(answer, { status: 200 });
    },
  });
  return { [Symbol.dispose]: restore };
}
