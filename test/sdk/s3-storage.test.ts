/** Results in a bucket, against a server that checks each signature and each byte. */
import { describe, it } from "vitest";
import { configure } from "../../sdk/flow/configuration.ts";
import { defaultStorage } from "../../sdk/flow/results/settings.ts";
import { flow, INPUTS, S3Error, s3Storage, task } from "../../sdk/index.ts";
import { KNOWN, type S3Server, s3Server } from "../support/s3-server.ts";
import { offlineWorld } from "./offline-world.ts";

const BYTES = new Uint8Array([0, 1, 255, 10, 13]);

function storage(server: S3Server, options: Partial<Parameters<typeof s3Storage>[0]> = {}) {
  return s3Storage({ bucket: "results", endpoint: server.origin, ...KNOWN, ...options });
}

describe("s3Storage", () => {
  it("writes, reads and deletes whole objects below its prefix", async ({ expect }) => {
    await using server = await s3Server("results");
    const results = storage(server, { prefix: "/team a/" });
    for (const key of ["runs/one", "runs/with space+plus&(more)'!*~"]) {
      expect(await results.read(key)).toBe(null);
      await results.write(key, BYTES);
      expect(server.objects.get(`results/team a/${key}`)).toEqual(BYTES);
      expect(await results.read(key)).toEqual(BYTES);
      await results.delete(key);
      await results.delete(key);
      expect(await results.read(key)).toBe(null);
    }
  });

  it("keeps an empty result, and one of a view of a larger buffer", async ({ expect }) => {
    await using server = await s3Server("results");
    const results = storage(server);
    await results.write("empty", new Uint8Array());
    await results.write("view", BYTES.subarray(1, 3));
    expect([await results.read("empty"), await results.read("view")]).toEqual([
      new Uint8Array(),
      new Uint8Array([1, 255]),
    ]);
  });

  it.for([
    [
      "another secret",
      { secretAccessKey: "not-this-one" },
      403,
      "SignatureDoesNotMatch",
      /secret access key is another/,
    ],
    ["an unknown key", { accessKeyId: "AKIDOTHER" }, 403, "InvalidAccessKeyId", /not known/],
    ["another region", { region: "eu-west-1" }, 403, "SignatureDoesNotMatch", /or the region is/],
    ["a bucket that there is not", { bucket: "other" }, 404, "NoSuchBucket", /Make the bucket/],
  ] as const)(
    "says what is wrong with %s, at once and without a secret",
    async ([, wrong, status, code, hint], { expect }) => {
      await using server = await s3Server("results");
      const results = storage(server, wrong);
      for (const does of [() => results.read("a"), () => results.write("a", BYTES), () => results.delete("a")]) {
        const error: unknown = await does().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(S3Error);
        expect(error).toMatchObject({ status, code, message: expect.stringMatching(hint) });
        expect(String(error)).not.toContain("secretAccessKey" in wrong ? wrong.secretAccessKey : KNOWN.secretAccessKey);
      }
      expect(server.requests).toHaveLength(3);
    },
  );

  it.for([
    ["a 500", { status: 500 }],
    ["a 503 SlowDown", { status: 503, code: "SlowDown" }],
    ["a 429", { status: 429 }],
    ["a cut connection", "cut"],
    ["no answer within the timeout", "silence"],
  ] as const)("asks again after %s", async ([, fault], { expect }) => {
    await using server = await s3Server("results");
    const results = storage(server, { timeout: "250ms" });
    server.failNext(fault);
    await results.write("a", BYTES);
    server.failNext(fault, fault);
    expect(await results.read("a")).toEqual(BYTES);
    expect(server.requests).toHaveLength(5);
  });

  it("gives up after four attempts, and says what the last one got", async ({ expect }) => {
    await using server = await s3Server("results");
    server.failNext(...Array.from({ length: 9 }, () => ({ status: 503, code: "SlowDown" })));
    await expect(storage(server).read("a")).rejects.toThrow(/GET .*\/results\/a answered 503 \(SlowDown\)/);
    expect(server.requests).toHaveLength(4);
  });

  it("tells of missing credentials and endpoints before anything is sent", ({ expect }) => {
    expect(() => s3Storage({ bucket: "b" })).toThrow(/AWS_ACCESS_KEY_ID/);
    expect(() => s3Storage({ bucket: "b", ...KNOWN, endpoint: "minio" })).toThrow(/"minio", which is not an address/);
  });

  it("keeps the results of a cached task for another process", async ({ expect }) => {
    await using server = await s3Server("results");
    using _world = offlineWorld();
    let calls = 0;
    const add = (results = storage(server)) =>
      task({ name: "add", cache: { policy: INPUTS }, results: { storage: results } }, async (a: number, b: number) => {
        calls++;
        return a + b;
      });
    const sum = flow({ name: "sum" }, async () => [await add()(1, 2), await add()(1, 2)]);
    expect(await sum()).toEqual([3, 3]);
    expect(calls).toBe(1);
    expect(server.objects.size).toBe(1);
  });
});

describe("SLUICE_RESULTS", () => {
  it("names a bucket with a prefix, with the usual variables beside it", async ({ expect }) => {
    await using server = await s3Server("results");
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: KNOWN.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KNOWN.secretAccessKey,
      AWS_ENDPOINT_URL_S3: server.origin,
    });
    try {
      const results = defaultStorage((name) => (name === "SLUICE_RESULTS" ? "s3://results/prod/a" : undefined));
      await results.write("runs/1", BYTES);
      expect([...server.objects.keys()]).toEqual(["results/prod/a/runs/1"]);
    } finally {
      process.env = before;
    }
  });

  it("that names nothing known is refused, with what it may be", ({ expect }) => {
    const at = (place: string) => () => defaultStorage((name) => (name === "SLUICE_RESULTS" ? place : undefined));
    expect(at("gs://bucket")).toThrow(/Give a folder, s3:\/\/bucket\/prefix, or block:s3-bucket\/name/);
    expect(at("block:gcs-bucket/x")).toThrow(/block:s3-bucket/);
  });

  it("names a block, which needs a control plane", async ({ expect }) => {
    const restore = configure({ apiUrl: null });
    try {
      const results = defaultStorage((name) => (name === "SLUICE_RESULTS" ? "block:s3-bucket/prod" : undefined));
      await expect(results.read("a")).rejects.toThrow(/s3BlockStorage\(\) needs a control plane/);
    } finally {
      restore();
    }
  });
});
