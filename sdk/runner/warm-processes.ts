/**
 * Processes that are started before there is a run for them, so that the start of Node and of the flow engine is paid
 * beforehand. Each serves one run: no run sees what another left behind.
 */
import type { ChildProcess } from "node:child_process";
import { startWarmProcess } from "./process.ts";

/** Variables that Node, or the system's loader, reads before any program: they need a process of their own. */
const READ_AT_START = /^(?:NODE_|LD_|DYLD_|UV_|OPENSSL_|SSL_|(?:https?|no|all)_proxy$)/i;
/** The next one is started when the run that took one has begun, so that the two do not compete. */
const REFILL_AFTER_MS = 250;
/** Processes that died unused, in a row, after which no more are started. */
const DEATHS_ALLOWED = 3;

export class WarmProcesses {
  readonly #size: number;
  readonly #idle = new Set<ChildProcess>();
  #apiUrl = "";
  #deaths = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;

  /** `size` is how many wait at a time; 0 for none. */
  constructor(size: number) {
    this.#size = size;
  }

  get idle(): number {
    return this.#idle.size;
  }

  /** `apiUrl` is the control plane to which the way is tried. */
  start(apiUrl: string): void {
    this.#apiUrl = apiUrl;
    this.#fill();
  }

  /** One that waits, if there is one and these variables do not need a fresh one. */
  take(env: Readonly<Record<string, string>>): ChildProcess | null {
    if (this.#size === 0 || Object.keys(env).some((name) => READ_AT_START.test(name))) return null;
    const [child] = this.#idle;
    if (child === undefined) return null;
    this.#idle.delete(child);
    this.#deaths = 0;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#fill();
    }, REFILL_AFTER_MS);
    return child;
  }

  /** Ends those that wait, and starts no more. */
  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const child of this.#idle) child.kill("SIGKILL");
    this.#idle.clear();
  }

  #fill(): void {
    while (!this.#isStopped && this.#idle.size < this.#size && this.#deaths < DEATHS_ALLOWED) {
      const child = startWarmProcess(this.#apiUrl);
      this.#idle.add(child);
      const gone = (): void => {
        if (!this.#idle.delete(child)) return;
        this.#deaths++;
        this.#fill();
      };
      child.once("exit", gone);
      child.once("error", gone);
    }
  }
}
