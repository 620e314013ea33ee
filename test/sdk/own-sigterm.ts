/** SIGTERM for the code under test alone: what the test runner listens with is put aside until each test is over. */
import { afterEach, beforeEach } from "vitest";

export function ownSigterm(): void {
  let others: NodeJS.SignalsListener[] = [];
  beforeEach(() => {
    others = process.listeners("SIGTERM") as NodeJS.SignalsListener[];
    process.removeAllListeners("SIGTERM");
  });
  afterEach(() => {
    process.removeAllListeners("SIGTERM");
    for (const one of others) process.on("SIGTERM", one);
  });
}
