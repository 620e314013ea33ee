/** Finds the file of D1 in the data folder of an embedded server that does not run. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Throws when no database of the folder has our tables. */
export function databaseOf(dataDir: string): string {
  const files = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
  const databases = files.filter((file) => file.endsWith(".sqlite") && !file.endsWith("metadata.sqlite"));
  const found = databases.map((file) => join(dataDir, file)).find(hasOurTables);
  if (found === undefined) throw new Error(`No database of ${dataDir} has the table dead_letters.`);
  return found;
}

function hasOurTables(file: string): boolean {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    return db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'dead_letters'").get() !== undefined;
  } finally {
    db.close();
  }
}
