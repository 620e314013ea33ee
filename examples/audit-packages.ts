/**
 * Audits the packages that are installed in a project: licence, size on disk, install scripts, versions that are there
 * more than once, and packages that are not what the lock file says.
 *
 * This is the flow of `npm run demo`. By itself: `node examples/audit-packages.ts [folder]`
 */
import { type Dirent, existsSync } from "node:fs";
import { lstat, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { artifacts, flow, logger, task } from "sluice";
import { z } from "zod";

interface PackageAudit {
  readonly name: string;
  readonly version: string;
  /** Below the project, e.g. `node_modules/zod`. */
  readonly path: string;
  readonly licence: string;
  readonly bytes: number;
  readonly files: number;
  /** Names of the scripts that npm runs when the package is installed. */
  readonly installScripts: readonly string[];
}

/** Versions by path, as the lock file has them. */
type Inventory = Readonly<Record<string, string>>;

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

const findPackages = task({ name: "find-packages" }, async (root: string): Promise<string[]> => {
  const found = await packagesBelow(join(root, "node_modules"));
  if (found.length === 0)
    throw new Error(`There are no packages in ${join(root, "node_modules")}. Run npm install there.`);
  return found.map((path) => relative(root, path)).sort();
});

const auditPackage = task(
  { name: "audit-package", concurrency: 16 },
  async (path: string, root: string): Promise<PackageAudit> => {
    const text = await readFile(join(root, path, "package.json"), "utf8");
    const { name = path, version = "?", license, licenses, scripts = {} } = JSON.parse(text) as PackageJson;
    const { bytes, files } = await sizeOf(join(root, path));
    return {
      name,
      version,
      path,
      licence: licenceOf(license ?? licenses),
      bytes,
      files,
      installScripts: INSTALL_SCRIPTS.filter((script) => script in scripts),
    };
  },
);

const takeInventoryLock = task({ name: "take-inventory-lock" }, async (folder: string): Promise<string> => {
  const lock = join(folder, "inventory.lock");
  await (await open(lock, "wx")).close();
  return lock;
});

const writeInventory = task(
  { name: "write-inventory" },
  async (root: string, folder: string, lock: string): Promise<void> => {
    const text = await readFile(join(root, "package-lock.json"), "utf8");
    const { packages = {} } = JSON.parse(text) as { packages?: Record<string, { version?: string }> };
    const versions = Object.entries(packages).flatMap(([path, { version }]) =>
      path === "" || !version ? [] : [[path, version]],
    );
    await writeFile(join(folder, "inventory.json"), JSON.stringify(Object.fromEntries(versions)));
    await rm(lock);
  },
);

/** Refuses to read what another job is writing, and is tried again a little later. */
const readInventory = task(
  { name: "read-inventory", retries: 5, retryDelay: "1s" },
  async (folder: string): Promise<Inventory> => {
    if (existsSync(join(folder, "inventory.lock"))) {
      throw new Error("The inventory is locked: somebody is writing it.");
    }
    return JSON.parse(await readFile(join(folder, "inventory.json"), "utf8")) as Inventory;
  },
);

const summarise = task({ name: "summarise" }, async (audits: readonly PackageAudit[], inventory: Inventory) => {
  const byName = Map.groupBy(audits, ({ name }) => name);
  return {
    bytes: audits.reduce((sum, { bytes }) => sum + bytes, 0),
    files: audits.reduce((sum, { files }) => sum + files, 0),
    licences: [...Map.groupBy(audits, ({ licence }) => licence)]
      .map(([licence, packages]) => ({ licence, packages: packages.length }))
      .sort((a, b) => b.packages - a.packages),
    duplicates: [...byName].flatMap(([name, same]) => {
      const versions = [...new Set(same.map(({ version }) => version))];
      return versions.length > 1 ? [{ name, versions }] : [];
    }),
    withInstallScripts: audits.filter(({ installScripts }) => installScripts.length > 0),
    unlike: audits.filter(({ path, version }) => inventory[path] !== version),
    largest: [...audits].sort((a, b) => b.bytes - a.bytes).slice(0, 10),
  };
});
type Summary = Awaited<ReturnType<typeof summarise>>;

const publish = task(
  { name: "publish" },
  async (audits: readonly PackageAudit[], summary: Summary): Promise<string> => {
    const markdown = markdownOf(audits, summary);
    await artifacts.markdown({ key: "package-audit", description: "Audit of the installed packages", markdown });
    await artifacts.table({
      key: "package-audit-table",
      description: "Every installed package",
      rows: audits.map(({ name, version, licence, bytes, installScripts }) => ({
        name,
        version,
        licence,
        kilobytes: Math.ceil(bytes / 1_000),
        installScripts: installScripts.join(" "),
      })),
    });
    return markdown;
  },
);

export const auditPackages = flow(
  {
    name: "audit-packages",
    parameters: z.object({
      /** The project, whose `node_modules` is audited. */
      root: z.string().default("."),
    }),
  },
  async ({ root: given }) => {
    const root = resolve(given);
    const folder = await mkdtemp(join(tmpdir(), "audit-packages-"));
    try {
      const lock = await takeInventoryLock(folder);
      // The reader starts while the writer still has the lock, as two jobs over one file would. So its first attempt
      // fails every time, and for a real reason; a program that only wanted the result would start it after the writer.
      const inventory = readInventory.submit(folder);
      const paths = await findPackages(root);
      logger().info(`${paths.length} packages are installed below ${root}`);
      await writeInventory(root, folder, lock);
      const audits = await auditPackage.map(paths, root).results();
      const summary = await summarise(audits, inventory);
      logger().info(`${megabytes(summary.bytes)} in ${summary.files} files, ${summary.licences.length} licences`);
      for (const { name, versions } of summary.duplicates)
        logger().warn(`${name} is installed in ${versions.length} versions: ${versions.join(", ")}`);
      for (const { name, version, installScripts } of summary.withInstallScripts) {
        logger().warn(`${name} ${version} runs scripts when it is installed: ${installScripts.join(", ")}`);
      }
      return await publish(audits, summary);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly license?: unknown;
  readonly licenses?: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Folders of packages below a `node_modules`, those inside other packages too. */
async function packagesBelow(modules: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entriesOf(modules)) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const path = join(modules, entry.name);
    if (entry.name.startsWith("@")) found.push(...(await packagesBelow(path)));
    else if (existsSync(join(path, "package.json")))
      found.push(path, ...(await packagesBelow(join(path, "node_modules"))));
  }
  return found;
}

/** What a package occupies, without the packages inside it. */
async function sizeOf(folder: string): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  for (const entry of await entriesOf(folder)) {
    if (entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = await sizeOf(path);
      bytes += below.bytes;
      files += below.files;
    } else {
      bytes += (await lstat(path)).size;
      files++;
    }
  }
  return { bytes, files };
}

/** A folder that is not there is an empty one. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  return existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
}

/** `license` has been a text, an object, and a list of objects over the years. */
function licenceOf(value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  if (Array.isArray(value)) return value.map(licenceOf).join(" OR ");
  if (typeof value === "object" && value !== null && "type" in value) return licenceOf(value.type);
  return "none given";
}

function markdownOf(audits: readonly PackageAudit[], summary: Summary): string {
  const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] =>
    [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const lines = [
    "# Installed packages",
    "",
    `${audits.length} packages, ${megabytes(summary.bytes)} in ${summary.files} files.`,
    "",
    "## Licences",
    "",
    ...table(
      ["licence", "packages"],
      summary.licences.map(({ licence, packages }) => [licence, packages]),
    ),
    "",
    "## Largest",
    "",
    ...table(
      ["package", "version", "size"],
      summary.largest.map(({ name, version, bytes }) => [name, version, megabytes(bytes)]),
    ),
    "",
    "## In more than one version",
    "",
    ...orNone(summary.duplicates.map(({ name, versions }) => `- ${name}: ${versions.join(", ")}`)),
    "",
    "## With install scripts",
    "",
    ...orNone(
      summary.withInstallScripts.map(
        ({ name, version, installScripts }) => `- ${name} ${version}: ${installScripts.join(", ")}`,
      ),
    ),
    "",
    "## Not as in package-lock.json",
    "",
    ...orNone(summary.unlike.map(({ path, version }) => `- ${path}: ${version}`)),
  ];
  return lines.join("\n");
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ["None."] : lines;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

if (import.meta.main) console.log(await auditPackages({ root: process.argv[2] ?? "." }));
