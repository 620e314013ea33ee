/** Puts what the door `sluice` loads into one file of the package: finding and opening many is most of the time of an import. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build, type Metafile } from "esbuild";

type Outputs = Metafile["outputs"];

/** The lines are short since Node prints the whole line that threw an error which nobody caught. */
export const MINIFIED = { minifySyntax: true, minifyWhitespace: true, lineLimit: 160 } as const;

/** An import of a chunk, as the bundler writes it. */
const CHUNK_IMPORT = /import(?:\{([^}]*)\}from)?"(\.[^"]+)"/g;

/**
 * Merges the chunks that a door imports, themselves and by each other, into `target`, a path among the outputs in the
 * folder of the chunks. All that imported one of them imports it from there.
 */
export async function mergeChunks(folder: string, outputs: Outputs, door: string, target: string): Promise<void> {
  const chunks = [...loadedBy(outputs, door)].filter((file) => file !== door);
  const nameIn = (file: string, name: string): string => `${name}_${chunks.indexOf(file)}`;
  const place = join(folder, dirname(target));
  const { outputFiles } = await build({
    stdin: {
      contents: chunks.map((file) => exportsOf(file)).join("\n"),
      resolveDir: place,
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    ...MINIFIED,
    plugins: [
      {
        name: "the rest stays where it is",
        setup(building) {
          building.onResolve({ filter: /.*/ }, ({ path, resolveDir, kind }) => {
            const file = relative(folder, resolve(resolveDir, path));
            const isMerged = kind === "import-statement" && chunks.includes(file);
            return isMerged ? { path: join(folder, file), sideEffects: true } : { path, external: true };
          });
        },
      },
    ],
    logLevel: "warning",
  });
  for (const file of chunks) rmSync(join(folder, file));
  for (const file of Object.keys(outputs))
    if (!chunks.includes(file)) writeFileSync(join(folder, file), redirected(file));
  writeFileSync(join(folder, target), outputFiles[0]?.text ?? "");

  function exportsOf(file: string): string {
    const names = (outputs[file]?.exports ?? []).map((name) => `${name} as ${nameIn(file, name)}`);
    return `export { ${names.join(", ")} } from "${sibling(dirname(target), file)}";`;
  }

  function redirected(file: string): string {
    return readFileSync(join(folder, file), "utf8").replace(
      CHUNK_IMPORT,
      (whole, names: string | undefined, path: string) => {
        const imported = join(dirname(file), path);
        if (!chunks.includes(imported)) return whole;
        const from = `"${sibling(dirname(file), target)}"`;
        if (names === undefined) return `import${from}`;
        const renamed = names.split(",").map((one) => {
          const [name = "", local = name] = one.trim().split(" as ");
          return `${nameIn(imported, name)} as ${local}`;
        });
        return `import{${renamed.join(",")}}from${from}`;
      },
    );
  }
}

/** A file of a bundle, and all that it imports statically. */
export function loadedBy(outputs: Outputs, door: string): ReadonlySet<string> {
  const loaded = new Set([door]);
  for (const file of loaded) {
    for (const { kind, path, external } of outputs[file]?.imports ?? []) {
      if (kind === "import-statement" && !external) loaded.add(path);
    }
  }
  return loaded;
}

function sibling(folder: string, file: string): string {
  const path = relative(folder, file);
  return path.startsWith(".") ? path : `./${path}`;
}
