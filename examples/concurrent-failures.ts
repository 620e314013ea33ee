/**
 * Failures in concurrent work: what failed does not take the rest with it, what depends on it does not start, and the flow
 * decides at the end whether that was good enough.
 *
 * `node examples/concurrent-failures.ts`
 */
import { allowFailure, flow, logger, task } from "sluice";

const download = task({ name: "download" }, async (file: string) => {
  if (file.startsWith("broken")) throw new Error(`${file} cannot be read`);
  return file.length;
});

const index = task({ name: "index" }, async (size: number) => size * 2);

const count = task({ name: "count" }, async (sizes: readonly (number | Error)[]) => ({
  good: sizes.filter((one) => typeof one === "number").length,
  bad: sizes.flatMap((one) => (one instanceof Error ? [one.message] : [])),
}));

interface Parameters {
  readonly files?: readonly string[];
  /** Fails the flow when more than this share of the files is broken. */
  readonly tolerance?: number;
}

export const downloadAll = flow(
  { name: "download-all" },
  async ({ files = ["a.csv", "broken.csv", "c.csv"], tolerance = 0.5 }: Parameters) => {
    const downloads = download.map(files);
    const indexed = index.map(downloads);
    await Promise.all([downloads.wait(), indexed.wait()]);
    const states = indexed.map((future) => future.state()?.name ?? "none");
    const { good, bad } = await count([...downloads].map((future) => allowFailure(future)));
    for (const why of bad) logger().warn(why);
    if (bad.length / files.length > tolerance) throw new Error(`${bad.length} of ${files.length} files are broken.`);
    return { good, bad, states };
  },
);

if (import.meta.main) console.log(await downloadAll());
