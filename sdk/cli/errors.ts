/** How the CLI fails: what is wrong, with which value, and what to type next. */
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** An error of the command line itself. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** What to type next, as one sentence or a command. */
  readonly fix: string;
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { fix: string; code?: string; exitCode?: ExitCode; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.fix = options.fix;
    this.code = options.code ?? "usage";
    this.exitCode = options.exitCode ?? EXIT.usage;
  }
}

/** An error as it is shown: `--output json` prints it as it stands. */
export interface ShownError {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  /** One line per field that was refused. */
  readonly issues: readonly string[];
}

/** The exit code of each code of protocol/errors.ts that has one of its own. Written out, since zod takes 45 ms to load. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  unauthorized: EXIT.unauthorized,
  forbidden: EXIT.unauthorized,
  foreign_host: EXIT.unauthorized,
  not_found: EXIT.notFound,
  not_ready: EXIT.unreachable,
  overloaded: EXIT.unreachable,
  not_configured: EXIT.unreachable,
};

/** What to show for anything that was thrown, and the exit code to end with. */
export function readError(error: unknown): { shown: ShownError; exitCode: ExitCode } {
  if (!(error instanceof Error)) return { shown: unexpected(String(error)), exitCode: EXIT.failed };
  const fix = "fix" in error && typeof error.fix === "string" ? error.fix : null;
  if (fix === null) return { shown: unexpected(error.stack ?? error.message), exitCode: EXIT.failed };
  const unreachable = error.name === "ApiUnreachableError";
  const code = "code" in error && typeof error.code === "string" ? error.code : unreachable ? "unreachable" : "failed";
  const exitCode =
    error instanceof CliError ? error.exitCode : unreachable ? EXIT.unreachable : (EXIT_OF_CODE[code] ?? EXIT.failed);
  const message = error.message.endsWith(fix) ? error.message.slice(0, -fix.length).trim() : error.message;
  return { shown: { code, message, fix, issues: issuesOf(error) }, exitCode };
}

function issuesOf(error: Error): string[] {
  if (!("issues" in error) || !Array.isArray(error.issues)) return [];
  return error.issues.map((issue: { loc?: unknown[]; msg?: unknown }) =>
    `${(issue.loc ?? []).join(".")}: ${String(issue.msg ?? "")}`.replace(/^: /, ""),
  );
}

function unexpected(message: string): ShownError {
  return {
    code: "unexpected",
    message,
    fix: "This is a fault of Sluice. Please report it with the lines above and the output of `sluice version`.",
    issues: [],
  };
}
