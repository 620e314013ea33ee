/**
 * A retry handler that looks at the status: what the server cannot do right now is asked for again, what it will never do
 * is not.
 *
 * `node examples/retry-by-status.ts https://example.com`
 */
import { flow, task } from "sluice";

class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number) {
    super(`the server answered ${status}`);
    this.status = status;
  }
}

const NEVER = new Set([400, 401, 403, 404, 422]);

const load = task(
  {
    name: "load",
    retries: 4,
    retryDelay: ["100ms", "200ms", "1s"],
    retryCondition: (error, { runCount, logger }) => {
      const isHopeless = error instanceof HttpError && NEVER.has(error.status);
      if (isHopeless) logger.warn(`attempt ${runCount}: ${error.message}, which another one will not change`);
      return !isHopeless;
    },
  },
  async (url: string, { signal }) => {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new HttpError(response.status);
    return await response.text();
  },
);

export const retryByStatus = flow(
  { name: "retry-by-status" },
  async ({ url }: { readonly url: string }) => await load(url),
);

if (import.meta.main) console.log(await retryByStatus({ url: process.argv[2] ?? "https://example.com" }));
