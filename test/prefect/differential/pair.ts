/** Tells two servers the same, and notes where their answers differ. */
import { setTimeout as sleep } from "node:timers/promises";
import { compare, type Difference } from "./compare.ts";
import { isFields, type Json } from "./json.ts";
import { Moments, Names } from "./names.ts";
import { inOrder } from "./ordered.ts";

export interface Request {
  /** `POST /flow_runs/{id}/set_state`: how differences are grouped. */
  readonly operation: string;
  /** The path with placeholders; by default that of the operation. */
  readonly path?: string;
  readonly body?: Json;
  /** A body that is sent as it is. */
  readonly text?: string;
  /** In a few words, what is special; by default the body. */
  readonly title?: string;
}

/** A difference with the request whose answers had it. `path` starts with `status` or `body`. */
export interface Finding extends Difference {
  readonly operation: string;
  readonly title: string;
}

/** What a server said. */
export interface Answer {
  readonly status: number;
  readonly body: Json;
}

interface Side {
  readonly url: string;
  readonly names: Names;
}

/** Long enough for both servers to have ended what they were doing at a moment. */
const BETWEEN_PHASES_MS = 150;
/** Answers of an operation that are kept; runs in every state are among the first. */
const KEPT_ANSWERS = 40;

export class Pair {
  readonly findings: Finding[] = [];
  readonly moments = new Moments();
  /** Some bodies of our answers of success, by operation. */
  readonly ourAnswers = new Map<string, Json[]>();
  readonly #theirs: Side;
  readonly #ours: Side;
  #compared = 0;

  constructor(theirsUrl: string, oursUrl: string) {
    this.#theirs = { url: theirsUrl, names: new Names(this.moments) };
    this.#ours = { url: oursUrl, names: new Names(this.moments) };
  }

  /** Requests whose answers were compared. */
  get compared(): number {
    return this.#compared;
  }

  /** Ends a phase of seeding; see {@link Moments}. */
  async nextPhase(): Promise<void> {
    await sleep(BETWEEN_PHASES_MS);
    this.moments.next();
    await sleep(BETWEEN_PHASES_MS);
  }

  /** Creates an object on both and gives it a name. Throws when either refuses, since all that follows needs it. */
  async create(name: string, request: Request): Promise<void> {
    const [theirs, ours] = await this.#send(request);
    for (const [side, answer] of [[this.#theirs, theirs] as const, [this.#ours, ours] as const]) {
      const id = isFields(answer.body) ? answer.body["id"] : undefined;
      if (answer.status >= 300 || typeof id !== "string") {
        throw new Error(`${name} was not created at ${side.url}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      side.names.give(name, id);
    }
    this.#note(request, theirs, ours);
  }

  /** Sends a request to both and notes the differences of status and body. */
  async ask(request: Request): Promise<void> {
    const [theirs, ours] = await this.#send(request);
    this.#note(request, theirs, ours);
  }

  /** As {@link ask}, but the bodies may differ: an error's words are each server's own. */
  async askStatus(request: Request): Promise<void> {
    const [theirs, ours] = await this.#send(request);
    this.#compared += 1;
    if (theirs.status === ours.status) return;
    const title = request.title ?? JSON.stringify(request.body);
    this.findings.push({
      operation: request.operation,
      title,
      path: "status",
      theirs: theirs.status,
      ours: ours.status,
    });
  }

  /** Sends a request to both and answers what each said, theirs first. */
  answers(request: Request): Promise<[Answer, Answer]> {
    return this.#send(request);
  }

  #note(request: Request, theirs: Answer, ours: Answer): void {
    this.#compared += 1;
    const sort = isFields(request.body) ? request.body["sort"] : undefined;
    const shown = (side: Side, { status, body }: Answer): Json => {
      if (status >= 300) return { status };
      // Each item by itself, so that unknown ids are numbered within it, wherever it stands in the list.
      const each = (items: Json): Json => (items as readonly Json[]).map((item) => side.names.normalise(item));
      const paged =
        isFields(body) && Array.isArray(body["results"]) ? { ...body, results: each(body["results"]) } : null;
      const named = Array.isArray(body) ? each(body) : (paged ?? side.names.normalise(body));
      return { status, body: inOrder(named, typeof sort === "string" ? sort : undefined) };
    };
    this.#keep(request.operation, ours);
    const title = request.title ?? JSON.stringify(request.body ?? request.path ?? null);
    for (const difference of compare(shown(this.#theirs, theirs), shown(this.#ours, ours))) {
      this.findings.push({ operation: request.operation, title, ...difference });
    }
  }

  #keep(operation: string, { status, body }: Answer): void {
    const kept = this.ourAnswers.get(operation) ?? [];
    if (status < 300 && status !== 204 && kept.length < KEPT_ANSWERS) this.ourAnswers.set(operation, [...kept, body]);
  }

  async #send(request: Request): Promise<[Answer, Answer]> {
    return await Promise.all([send(this.#theirs, request), send(this.#ours, request)]);
  }
}

async function send({ url, names }: Side, request: Request): Promise<Answer> {
  const [method = "GET", ownPath = "/"] = request.operation.split(" ");
  const body = request.text ?? (request.body === undefined ? undefined : JSON.stringify(names.resolve(request.body)));
  const response = await fetchTwice(`${url}${names.resolveText(request.path ?? ownPath)}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: text === "" ? null : (JSON.parse(text) as Json) };
  } catch {
    return { status: response.status, body: text };
  }
}

/** A server may close a kept connection at the moment it is used again. Twice in a row is a fault. */
async function fetchTwice(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    const { code } = Object((error as Error).cause) as { code?: string };
    if (code !== "ECONNRESET" && code !== "UND_ERR_SOCKET") throw error;
    return await fetch(url, init);
  }
}
