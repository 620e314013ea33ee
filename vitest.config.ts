import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** For tests that take well under a second: on a busy machine nothing is proved by how long they take. */
const PATIENCE_MS = 20_000;

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/count-reporter.ts"],
    // On two cores Vitest would take one; files that start servers go one after the other all the same.
    maxWorkers: 2,
    projects: [
      // Pure code leaves nothing behind, so these files share their workers.
      { test: { name: "machine", include: ["test/machine/**/*.test.ts"], isolate: false } },
      { test: { name: "protocol", include: ["test/protocol/**/*.test.ts"], isolate: false } },
      { test: { name: "sdk", include: ["test/sdk/**/*.test.ts"], testTimeout: PATIENCE_MS } },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              // No part of the Worker: for results in a bucket that is bound.
              r2Buckets: ["TEST_RESULTS"],
              bindings: {
                SLUICE_MODE: "embedded",
                SLUICE_SHARDS: "1",
                SLUICE_ENCRYPTION_KEYS: Buffer.alloc(32, "a key of tests").toString("base64"),
                TEST_BUDGET: process.env["SLUICE_TEST_BUDGET"] ?? "fast",
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          setupFiles: ["./test/workerd/apply-migrations.ts"],
          testTimeout: PATIENCE_MS,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Each file starts servers of its own, and there are two cores.
          fileParallelism: false,
        },
      },
      {
        // The pages in a real browser, against a real server and worker. Without a browser they are skipped, and say so.
        test: {
          name: "ui",
          include: ["test/ui/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // Holds our server against the installed Prefect package; see test/prefect/README.md.
        test: {
          name: "prefect",
          include: ["test/prefect/**/*.test.ts"],
          testTimeout: 300_000,
          // The first one installs the package.
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
