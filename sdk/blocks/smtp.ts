/** Mail by SMTP, as far as programs need it: one message, to several people, over TLS and with a password if need be. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { toBase64 } from "../flow/results/json-values.ts";

/** A mail server. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** "ssl" from the first byte, "starttls" after the greeting, or neither. */
  readonly security: "ssl" | "starttls" | "insecure";
  /** Null: it wants none. */
  readonly login: { readonly username: string; readonly password: string } | null;
}

/** One message. */
export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Default: the user name of the server. */
  readonly from?: string;
}

interface Net {
  connect(options: { host: string; port: number }): Socket;
}
interface Tls {
  connect(options: { host?: string; port?: number; socket?: Socket; servername: string }): TLSSocket;
}

const WITHIN_MS = 30_000;
/** Longer lines are not allowed; these are of base64. */
const LINE_CHARS = 76;

/** Sends a message. Throws what the server said when it did not take it; never a password. */
export async function sendMail(server: MailServer, from: string, mail: Mail): Promise<void> {
  const net = load<Net>("node:net");
  const tls = load<Tls>("node:tls");
  const { host, port } = server;
  const secured = (socket?: Socket): TLSSocket =>
    tls.connect({ ...(socket ? { socket } : { host, port }), servername: host });
  const talk = new Conversation(server.security === "ssl" ? secured() : net.connect({ host, port }));
  try {
    await talk.hear(220);
    await talk.say("EHLO localhost", 250);
    if (server.security === "starttls") {
      await talk.say("STARTTLS", 220);
      talk.moveTo(secured(talk.socket));
      await talk.say("EHLO localhost", 250);
    }
    if (server.login !== null) {
      const { username, password } = server.login;
      const proof = base64(`\0${username}\0${password}`);
      await talk.say(`AUTH PLAIN ${proof}`, 235, "the login");
    }
    await talk.say(`MAIL FROM:<${address(from)}>`, 250);
    for (const to of mail.to) await talk.say(`RCPT TO:<${address(to)}>`, 250);
    await talk.say("DATA", 354);
    await talk.say(`${message(from, mail)}\r\n.`, 250, "the message");
    await talk.say("QUIT", 221);
  } finally {
    talk.socket.destroy();
  }
}

/** Commands and answers, one after the other. */
class Conversation {
  socket: Socket;
  #heard = "";
  #trouble: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen();
  }

  moveTo(socket: Socket): void {
    this.socket.removeAllListeners("data");
    this.socket = socket;
    this.#listen();
  }

  /** `what` stands for the line in the error, where the line itself may not. */
  async say(line: string, expected: number, what = line): Promise<void> {
    this.socket.write(`${line}\r\n`);
    await this.hear(expected, what);
  }

  async hear(expected: number, what = "the connection"): Promise<void> {
    for (;;) {
      // The last line of an answer has a space behind its code.
      const answer = /^(?:\d{3}-.*\r?\n)*(\d{3})(?: .*)?\r?\n/.exec(this.#heard);
      if (answer !== null) {
        this.#heard = this.#heard.slice(answer[0].length);
        if (Number(answer[1]) === expected) return;
        throw new Error(`The mail server did not take ${what}: ${answer[0].trim()}`);
      }
      if (this.#trouble !== null) throw new Error(`The mail server is away: ${this.#trouble.message}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #listen(): void {
    const fail = (error: Error): void => {
      this.#trouble ??= error;
      this.#wake();
    };
    this.socket.setTimeout(WITHIN_MS, () => this.socket.destroy(new Error("it did not answer within 30 seconds")));
    this.socket.on("error", fail);
    this.socket.on("close", () => fail(new Error("it closed the connection")));
    this.socket.on("data", (chunk: Uint8Array) => {
      this.#heard += new TextDecoder().decode(chunk);
      this.#wake();
    });
  }
}

function message(from: string, { to, subject, text }: Mail): string {
  const body = base64(text.replace(/\r?\n/g, "\r\n")).match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [
    `From: ${header(from)}`,
    `To: ${to.map(header).join(", ")}`,
    `Subject: =?UTF-8?B?${base64(header(subject))}?=`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${crypto.randomUUID()}@sluice>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    ...body,
  ].join("\r\n");
}

/** `a@b.c` of `Ada <a@b.c>`. */
function address(text: string): string {
  return header(/<([^>]*)>/.exec(text)?.[1] ?? text);
}

/** A line end in it would begin a header, or a command, of somebody else's. */
function header(text: string): string {
  return text.replace(/[\r\n]+/g, " ").trim();
}

function base64(text: string): string {
  return toBase64(new TextEncoder().encode(text));
}

function load<T>(name: string): T {
  const module = (globalThis.process?.getBuiltinModule as ((name: string) => T | undefined) | undefined)?.(name);
  if (module) return module;
  throw new Error("Mail by SMTP needs a runtime with sockets, such as Node, Bun or Deno. Use sendgridEmail elsewhere.");
}
