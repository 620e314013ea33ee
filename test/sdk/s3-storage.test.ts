/** Results in a bucket, against a server that checks each signature and each byte. */
import { describe, it, vi } from "vitest";
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

  it("takes the session's token of the environment only with the key of the environment", async ({ expect }) => {
    const server = await s3Server("results");
    await using _ = server;
    const before = { ...process.env };
    const tokens: (string | null)[] = [];
    const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async (request, init) => {
      tokens.push(new Request(request, init).headers.get("x-amz-security-token"));
      return new Response(null, { status: 404 });
    });
    try {
      Object.assign(process.env, {
        AWS_ACCESS_KEY_ID: KNOWN.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KNOWN.secretAccessKey,
        AWS_SESSION_TOKEN: "of the session",
      });
      const at = { bucket: "results", endpoint: server.origin };
      for (const key of [{}, KNOWN, { ...KNOWN, sessionToken: "own" }])
        await s3Storage({ ...at, ...key })
          .read("a")
          .catch(() => null);
    } finally {
      fetched.mockRestore();
      process.env = before;
    }
    expect(tokens).toEqual(["of the session", null, "own"]);
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

  it("is tried anew after it could not be opened", async ({ expect }) => {
    await using server = await s3Server("results");
    const before = { ...process.env };
    try {
      const results = defaultStorage((name) => (name === "SLUICE_RESULTS" ? "s3://results/later" : undefined));
      await expect(results.read("a")).rejects.toThrow("no credentials");
      Object.assign(process.env, {
        AWS_ACCESS_KEY_ID: KNOWN.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KNOWN.secretAccessKey,
        AWS_ENDPOINT_URL_S3: server.origin,
      });
      expect(await results.read("a")).toBeNull();
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
    await using server = await s3Server("results");
    const results = defaultStorage((name) => (name === "SLUICE_RESULTS" ? "block:s3-bucket/prod" : undefined));
    const restore = configure({ apiUrl: null });
    await expect(results.read("a")).rejects.toThrow(/s3BlockStorage\(\) needs a control plane/);
    const credentials = {
      aws_access_key_id: KNOWN.accessKeyId,
      aws_secret_access_key: KNOWN.secretAccessKey,
      aws_client_parameters: { endpoint_url: server.origin },
    };
    const id = crypto.randomUUID();
    const [created, updated] = ["2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z"];
    const of = { block_schema: null, block_schema_id: id, block_type: null, block_type_id: id, block_type_name: null };
    const data = { bucket_name: "results", bucket_folder: "of/block", credentials };
    const block = {
      id,
      created,
      updated,
      name: "prod",
      data,
      ...of,
      block_document_references: {},
      is_anonymous: false,
    };
    configure({ apiUrl: "http://plane.test", fetch: async () => Response.json(block) });
    // A failure to read it is not remembered.
    await results.write("a", BYTES);
    restore();
    expect([...server.objects.keys()]).toEqual(["results/of/block/a"]);
  });
});
