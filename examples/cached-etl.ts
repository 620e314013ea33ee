/**
 * ETL with retries and caching: each page is fetched once an hour, whatever `verbose` says, and a page that the server cannot
 * give right now is asked for again.
 *
 * `node examples/cached-etl.ts https://example.com/items`
 */
import { artifacts, exponentialBackoff, flow, INPUTS, logger, TASK_SOURCE, task } from "sluice";

interface Item {
  readonly name: string;
  readonly price: number;
}

class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The server answered ${status}.`);
    this.status = status;
  }
}

const fetchPage = task(
  {
    name: "fetch-page",
    retries: 3,
    retryDelay: exponentialBackoff({ base: "100ms" }),
    // What is not there will not be there a second later.
    retryCondition: (error) => !(error instanceof HttpError) || error.status >= 500,
    timeout: "30s",
    cache: { policy: INPUTS.minus("verbose").plus(TASK_SOURCE), expires: "1h" },
  },
  async (url: string, page: number, verbose: boolean, { signal }) => {
    if (verbose) logger().info(`Asking for page ${page}.`);
    const response = await fetch(`${url}?page=${page}`, { signal });
    if (!response.ok) throw new HttpError(response.status);
    return (await response.json()) as Item[];
  },
);

const total = task({ name: "total" }, async (pages: readonly (readonly Item[])[]) =>
  pages.flat().reduce((sum, { price }) => sum + price, 0),
);

interface Parameters {
  readonly url: string;
  readonly pages?: number;
  readonly verbose?: boolean;
}

export const cachedEtl = flow({ name: "cached-etl" }, async ({ url, pages = 3, verbose = false }: Parameters) => {
  const numbers = Array.from({ length: pages }, (_, index) => index + 1);
  const fetched = numbers.map((page) => fetchPage.submit(url, page, verbose));
  const sum = await total(fetched);
  await artifacts.markdown({ key: "total", markdown: `${pages} pages, **${sum}** in total.` });
  return sum;
});

if (import.meta.main) console.log(await cachedEtl({ url: process.argv[2] ?? "http://127.0.0.1:8000/items" }));
