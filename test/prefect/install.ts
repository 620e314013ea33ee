/** Makes the virtual environments of this folder, so that what needs them later does not wait: `npm run test:install`. */
import { prefectPython, pythonWith } from "./venv.ts";

await Promise.all([prefectPython(), pythonWith("fuzz-requirements.txt")]);
