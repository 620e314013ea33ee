#!/usr/bin/env node
/** The program `sluice`. */
import { enableCompileCache } from "node:module";

// Only what is imported after this is cached, so the program itself comes in dynamically.
enableCompileCache();
const [{ runCli }, { useProxy }] = await Promise.all([import("./run-cli.ts"), import("./proxy.ts")]);

// Somebody may stop reading (`| head -1`); a server or a worker goes on all the same.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

const unproxied = useProxy(process.env);
if (unproxied !== null) process.stderr.write(`warning: ${unproxied}\n`);

process.exitCode = await runCli({
  words: process.argv.slice(2),
  environment: process.env,
  streams: { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) },
});
