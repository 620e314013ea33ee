/** What holds for each operation of the API, whatever it does. */
import { exports } from "cloudflare:workers";
import { describe, it } from "vitest";
import { z } from "zod";
import type { Endpoint } from "#protocol/endpoint";
import { ENDPOINTS } from "#protocol/endpoints";

const UNKNOWN_ID = "0193a000-0000-7000-8000-00000000dead";

/** The endpoint's path with parameters that are well formed and lead to nothing. */
function pathTo(endpoint: Endpoint, values: Record<string, string> = {}): string {
  const filled = endpoint.path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? sample(endpoint, name));
  return `http://localhost:4200/api${filled}`;
}

/** Ids where ids are asked for, a number where one is, a name nobody has everywhere else. */
function sample({ params }: Endpoint, name: string): string {
  const schema = params instanceof z.ZodObject ? (params.shape[name] as z.ZodType) : z.string();
  return ["nobody-has-this-name", "999999"].find((text) => schema.safeParse(text).success) ?? UNKNOWN_ID;
}

async function send(url: string, method: string, body?: string): Promise<{ status: number; text: string }> {
  const response = await exports.default.fetch(url, { method, ...(body === undefined ? {} : { body }) });
  return { status: response.status, text: await response.text() };
}

const named = (endpoints: readonly Endpoint[]) =>
  endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const);
const withBody = named(ENDPOINTS.filter(({ body }) => body !== undefined));
const ofOneThing = named(ENDPOINTS.filter(({ params, body }) => params !== undefined && body === undefined));
const byUuid = named(ENDPOINTS.filter((endpoint) => pathTo(endpoint).includes(UNKNOWN_ID)));

describe("each operation", () => {
  it.for(withBody)("%s answers malformed JSON with 400", async ([, endpoint], { expect }) => {
    const answer = await send(pathTo(endpoint), endpoint.method, "{");
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('"bad_json"') });
  });

  it.for(withBody)("%s answers a body of another type with 422 and the field", async ([, endpoint], { expect }) => {
    const answer = await send(pathTo(endpoint), endpoint.method, '"a string"');
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('"loc":["body"]') });
  });

  it.for(byUuid)("%s answers an id that is none with 422", async ([, endpoint], { expect }) => {
    const url = pathTo(endpoint, { id: "not-an-id" });
    expect((await send(url, endpoint.method, endpoint.body ? "{}" : undefined)).status).toBe(422);
  });

  it.for(ofOneThing)("%s answers 404 for what does not exist", async ([, endpoint], { expect }) => {
    const answer = await send(pathTo(endpoint), endpoint.method);
    expect(answer).toMatchObject({ status: 404, text: expect.stringContaining('"fix"') });
  });

  it.for(named(ENDPOINTS))("%s is found with and without a trailing slash", async ([, endpoint], { expect }) => {
    const url = pathTo(endpoint);
    const other = url.endsWith("/") ? url.slice(0, -1) : `${url}/`;
    const body = endpoint.body ? "{" : undefined;
    expect((await send(other, endpoint.method, body)).status).toBe((await send(url, endpoint.method, body)).status);
  });

  it.for(named(ENDPOINTS))(
    "%s names the methods that its path has to another method",
    async ([, endpoint], { expect }) => {
      const response = await exports.default.fetch(pathTo(endpoint), { method: "OPTIONS" });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")?.split(", ")).toContain(endpoint.method);
      expect(await response.text()).toContain('"method_not_allowed"');
    },
  );
});

describe("a path that no operation has", () => {
  it.for(["/nothing", "/flows/x/y/z", "/internal/migrate", "/internal/nothing"])(
    "%s gets 404 by every method",
    async (path, { expect }) => {
      for (const method of ["GET", "PUT", "OPTIONS"]) {
        expect((await send(`http://localhost:4200/api${path}`, method)).status).toBe(404);
      }
    },
  );
});
