/**
 * GitHub stars: one task in a loop, retried when the network is not kind.
 *
 * `node examples/github-stars.ts cloudflare/workerd honojs/hono`
 */
import { flow, logger, task } from "sluice";

const fetchStars = task(
  { name: "fetch-stars", retries: 3, retryDelay: "1s", timeout: "10s" },
  async (repository: string, api: string, { signal }) => {
    const response = await fetch(`${api}/repos/${repository}`, { signal, headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${repository}: GitHub answered ${response.status}`);
    return ((await response.json()) as { stargazers_count: number }).stargazers_count;
  },
);

interface Parameters {
  readonly repositories: readonly string[];
  readonly api?: string;
}

export const githubStars = flow(
  { name: "github-stars" },
  async ({ repositories, api = "https://api.github.com" }: Parameters) => {
    const stars: Record<string, number> = {};
    for (const repository of repositories) {
      stars[repository] = await fetchStars(repository, api);
      logger().info(`${repository} has ${stars[repository]} stars`);
    }
    return stars;
  },
);

if (import.meta.main) {
  const given = process.argv.slice(2);
  console.log(await githubStars({ repositories: given.length > 0 ? given : ["cloudflare/workerd"] }));
}
