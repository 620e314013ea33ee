/** Holds the made package against publint and "Are the types wrong?": `npm run check:package`. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const ROOT = new URL("../../", import.meta.url);
const CACHE = fileURLToPath(new URL("node_modules/.cache/sluice/", ROOT));

const { messages, pkg } = await publint({ pkgDir: `${CACHE}package`, pack: false, strict: true });
for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`);

const [tarball] = globSync("*.tgz", { cwd: CACHE });
if (tarball === undefined) throw new Error("There is no tarball. Make it: npm run package");
const attw = fileURLToPath(new URL("node_modules/@arethetypeswrong/cli/dist/index.js", ROOT));
// The package is ESM alone, which every Node that it supports can also `require`.
const words = [attw, `${CACHE}${tarball}`, "--profile", "esm-only", "--format", "table-flipped", "--no-emoji"];
const { status, stdout } = spawnSync(process.execPath, words, { encoding: "utf8" });
if (status !== 0) console.error(stdout);

process.exitCode = messages.length === 0 && status === 0 ? 0 : 1;
