/** Writes docs/api-roles.md: which role may call which route. Run by `npm run generate`. */
import { writeFile } from "node:fs/promises";
import { KEY_ROLES, mayDo } from "#protocol/access";
import { CHANNELS } from "#protocol/channels";
import { ENDPOINTS } from "#protocol/endpoints";

const routes = [
  ...ENDPOINTS.map(({ method, path, role, tag }) => ({ method, path, role, tag })),
  ...CHANNELS.map(({ path, role }) => ({ method: "WebSocket", path, role, tag: "WebSockets" })),
  { method: "GET", path: "/openapi.json", role: "viewer", tag: "Root" } as const,
  { method: "GET", path: "/csrf-token", role: "viewer", tag: "Root" } as const,
];
const tags = [...new Set(routes.map(({ tag }) => tag))].sort();

function rowsOf(tag: string): string[] {
  return routes
    .filter((route) => route.tag === tag)
    .sort((a, b) => (a.path === b.path ? compare(a.method, b.method) : compare(a.path, b.path)))
    .map(({ method, path, role }) => {
      const marks = KEY_ROLES.map((held) => (mayDo(held, role) ? "✓" : "")).join(" | ");
      return `| ${method} \`/api${path}\` | ${role === "public" ? "✓" : ""} | ${marks} |`;
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const lines = [
  "# Which role may call which route",
  "",
  "Written by `npm run generate` from the declarations in `sdk/protocol/`; a test asks every route with every role.",
  "What the roles are for stands in [access.md](access.md).",
];
for (const tag of tags) {
  const head = ["route", "no key", ...KEY_ROLES];
  lines.push("", `## ${tag}`, "", `| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rowsOf(tag));
}
await writeFile(new URL("../../docs/api-roles.md", import.meta.url), `${lines.join("\n")}\n`);
