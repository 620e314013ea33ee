/** The browser in which pages are looked at: Debian's Chromium, or the one that SLUICE_CHROMIUM names. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const PROGRAMS = [process.env["SLUICE_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"];
const TIMEOUT_MS = 20_000;

/** Where the browser is; null on a machine without one. */
export const BROWSER: string | null = PROGRAMS.find((path) => path !== undefined && existsSync(path)) ?? null;

/** Starts it with a profile of its own, which goes with it. */
export async function startBrowser(): Promise<Browser> {
  if (BROWSER === null) throw new Error("There is no Chromium. Install one, or name it in SLUICE_CHROMIUM.");
  return await chromium.launch({
    executablePath: BROWSER,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** A window without cookies of others. Errors that scripts leave uncaught are collected in `troubles`. */
export async function openPage(browser: Browser, look: Look = {}): Promise<{ page: Page; troubles: string[] }> {
  const { width = 1_280, height = 860, dark = false } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  return { page, troubles };
}
