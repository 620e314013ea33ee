#!/usr/bin/env node
/** The program `sluice`. */
import { runCli } from "./run-cli.ts";

process.exitCode = await runCli({
  words: process.argv.slice(2),
  environment: process.env,
  streams: { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) },
});
