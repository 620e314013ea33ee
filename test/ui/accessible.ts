import axe from "axe-core";
import type { Page } from "playwright-core";
import type { ExpectStatic } from "vitest";

const GRAVE = new Set<unknown>(["serious", "critical"]);

/** Holds the page that is open against axe's rules: nothing serious may be found. */
export async function expectAccessible(page: Page, expect: ExpectStatic): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
  const grave = violations.filter(({ impact }) => GRAVE.has(impact));
  const text = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  expect(text, page.url()).toEqual([]);
}
