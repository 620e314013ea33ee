/**
 * Prints `N passed, N failed` on a line of its own. For `.ci/run` both numbers go to the file it names, and below them
 * what failed, a line each: of a long output its end is what is read first.
 */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    let skipped = 0;
    const failures: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      const failed = tests.filter((test) => test.result().state === "failed");
      passed += tests.filter((test) => test.result().state === "passed").length;
      skipped += tests.filter((test) => test.result().state === "skipped").length;
      failures.push(...failed.map(lineOf));
      // A file that could not be read, or whose hooks failed, has no failed test to tell of it.
      if (!module.ok() && failed.length === 0) failures.push(`${module.relativeModuleId}: ${errorsOf(module)}`);
    }
    failures.push(...unhandled.map((error) => `outside of any test: ${firstLine(error.stack ?? error.message)}`));
    const report = process.env["SLUICE_TEST_REPORT"];
    if (report) writeFileSync(report, `${[`${passed} ${failures.length}`, ...failures].join("\n")}\n`);
    else process.stdout.write(`\n${passed} passed, ${failures.length} failed, ${skipped} skipped\n`);
  }
}

function lineOf(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  return `${test.module.relativeModuleId} > ${test.fullName}: ${firstLine(error?.message ?? "no error was told")}`;
}

function errorsOf(module: TestModule): string {
  const suites = [...module.children.allSuites()];
  const errors = [module, ...suites].flatMap((suite) => suite.errors());
  return errors.map((error) => firstLine(error.message)).join("; ") || "no error was told";
}

/** Without an assertion's picture of what differs, and short enough for a line. */
function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 300);
}
