#!/usr/bin/env node
/** The program `sluice`. */
import { runCli } from "./run-cli.ts";

// Somebody may stop reading (`| head -1`); a server or a worker goes on all the same.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await runCli({
  words: process.argv.slice(2),
  environment: process.env,
  streams: { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) },
});
