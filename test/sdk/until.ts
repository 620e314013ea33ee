/** Waits for a condition, with a deadline that says what was waited for. */
export async function until(what: string, condition: () => boolean, withinMs = 8_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms in vain for: ${what}.`);
    await new Promise((done) => setTimeout(done, 2));
  }
}
