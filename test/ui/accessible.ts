import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import type { ExpectStatic } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const GRAVE = new Set(["serious", "critical"]);

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** Holds the page that is open against axe's rules: nothing serious may be found. */
export async function expectAccessible(page: Page, expect: ExpectStatic): Promise<void> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate("axe.run()")) as { readonly violations: readonly Finding[] };
  const grave = violations.filter(({ impact }) => impact !== null && GRAVE.has(impact));
  const text = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  expect(text, page.url()).toEqual([]);
}
