/** Calls a cached task once, by the locks of a folder, and tells what became of it. `argv`: folder, lease, "hang" or nothing. */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { configure, folderLocks, INPUTS, localFolder, task } from "../../../sdk/index.ts";

const [folder = "", lease = "30s", how = ""] = process.argv.slice(2);
configure({ apiUrl: null, echoLogs: false, results: { storage: localFolder(folder) } });
const locks = folderLocks(`${folder}/locks`, { lease });

const compute = task(
  { name: "compute", cache: { policy: INPUTS, isolation: "serializable", locks } },
  async (n: number) => {
    appendFileSync(`${folder}/computed`, `${process.pid}\n`);
    if (how === "hang") await sleep(60_000);
    await sleep(150);
    return n * 2;
  },
);
console.log(await compute(21));
