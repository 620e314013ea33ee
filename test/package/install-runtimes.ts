/** Fetches the runtimes of the package's tests, so that the tests do not wait for them: a step of `npm run test:install`. */
import { installRuntimes } from "./runtimes.ts";

for (const { name, command } of await installRuntimes()) console.error(`${name}: ${command[0]}`);
