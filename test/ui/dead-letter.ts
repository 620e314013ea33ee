import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Puts a dispatch that was given up into the data folder of a server that does not run: no test waits for one. */
export function giveUp(dataDir: string, body: unknown): void {
  const folder = join(dataDir, "d1", "D1Database");
  const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  if (file === undefined) throw new Error(`There is no D1 file in ${folder}.`);
  const db = new DatabaseSync(join(folder, file));
  db.prepare("INSERT INTO dead_letters (id, queue, body, attempts, created) VALUES (?, 'dispatch', ?, 9, ?)").run(
    "given-up",
    JSON.stringify(body),
    Date.now(),
  );
  db.close();
}
