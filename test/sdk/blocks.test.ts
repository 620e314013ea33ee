/** Blocks that send: each against a server on the loopback that stands for all the services there are. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, it } from "vitest";
import { z } from "zod";
import * as blocks from "../../sdk/blocks/index.ts";
import { masked } from "../../sdk/flow/secrets.ts";
import { configure } from "../../sdk/index.ts";
import { KNOWN, s3Server } from "../support/s3-server.ts";

interface Sent {
  readonly method: string;
  /** As the block asked for it. */
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

let sent: Sent[] = [];
let answer: { status: number; body: string } = { status: 200, body: "ok" };
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    const { "x-meant-for": url, ...headers } = request.headers;
    sent.push({ method: request.method ?? "", url: String(url), headers, body });
    response.writeHead(answer.status).end(answer.body);
  });
});
let restore: () => void;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  restore = configure({
    apiUrl: null,
    fetch: (input, init) => fetch(origin, { ...init, headers: { ...init?.headers, "x-meant-for": String(input) } }),
  });
});
afterAll(() => {
  restore();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  sent = [];
  answer = { status: 200, body: "ok" };
});

const json = (at = 0): unknown => JSON.parse(sent[at]?.body ?? "null");

describe("notify()", () => {
  it("of slackWebhook posts the text, below its subject", async ({ expect }) => {
    await (await blocks.slackWebhook.open({ url: "https://hooks.slack.com/services/T/B/x1y2" })).notify(
      "done",
      "Nightly",
    );
    expect(sent[0]).toMatchObject({ method: "POST", url: "https://hooks.slack.com/services/T/B/x1y2" });
    expect(json()).toEqual({ text: "*Nightly*\ndone" });
  });

  it("of teamsWebhook posts an adaptive card", async ({ expect }) => {
    await (await blocks.teamsWebhook.open({ url: "https://prod.logic.azure.com/w?sig=s1g2" })).notify("done");
    expect(json()).toMatchObject({
      type: "message",
      attachments: [
        {
          contentType: "application/vnd.microsoft.card.adaptive",
          content: { type: "AdaptiveCard", body: [{ type: "TextBlock", text: "done", wrap: true }] },
        },
      ],
    });
  });

  it("of discordWebhook posts long texts in parts", async ({ expect }) => {
    const block = await blocks.discordWebhook.open({ webhook_id: "12345", webhook_token: "tok12", botname: "Sluice" });
    await block.notify("x".repeat(2_500));
    expect(sent.map(({ url }) => url)).toEqual(Array(2).fill("https://discord.com/api/webhooks/12345/tok12"));
    expect([0, 1].map((at) => (json(at) as { content: string }).content.length)).toEqual([2_000, 500]);
    expect(json()).toMatchObject({ username: "Sluice", tts: false });
  });

  it("of mattermostWebhook posts to each channel", async ({ expect }) => {
    const fields = { hostname: "chat.example", token: "hook1", channels: ["#ops", "data"], path: "/team/" };
    await (await blocks.mattermostWebhook.open(fields)).notify("done", "Nightly");
    expect(sent.map(({ url }) => url)).toEqual(Array(2).fill("http://chat.example:8065/team/hooks/hook1"));
    expect([json(0), json(1)]).toEqual([
      { text: "**Nightly**\ndone", channel: "ops" },
      { text: "**Nightly**\ndone", channel: "data" },
    ]);
  });

  it("of pagerDutyWebhook triggers an incident in its region, with a severity", async ({ expect }) => {
    const keys = { integration_key: "rk123", api_key: "ak123" };
    const fields = {
      ...keys,
      notify_type: "failure",
      region_name: "eu",
      group: "etl",
      custom_details: { disk: "full" },
    };
    await (await blocks.pagerDutyWebhook.open(fields as never)).notify("all of it", "Nightly failed");
    expect(sent[0]?.url).toBe("https://events.eu.pagerduty.com/v2/enqueue");
    expect(json()).toEqual({
      routing_key: "rk123",
      event_action: "trigger",
      payload: {
        summary: "Nightly failed",
        source: "Sluice",
        severity: "critical",
        component: "Notification",
        group: "etl",
        custom_details: { disk: "full", body: "all of it" },
      },
    });
  });

  it("of opsgenieWebhook makes an alert for its responders", async ({ expect }) => {
    const fields = { apikey: "og-12345", target_team: ["data"], target_user: ["ada@example.com"], priority: 1 };
    await (await blocks.opsgenieWebhook.open(fields)).notify("x".repeat(200));
    expect(sent[0]).toMatchObject({
      url: "https://api.opsgenie.com/v2/alerts",
      headers: { authorization: "GenieKey og-12345" },
    });
    expect(json()).toEqual({
      message: "x".repeat(130),
      description: "x".repeat(200),
      responders: [
        { type: "user", username: "ada@example.com" },
        { type: "team", name: "data" },
      ],
      priority: "P1",
    });
  });

  it("of twilioSms sends a text to each number", async ({ expect }) => {
    const fields = { account_sid: "AC1", auth_token: "tok12", from_phone_number: "+1", to_phone_numbers: ["+2", "+3"] };
    await (await blocks.twilioSms.open(fields)).notify("done");
    expect(sent.map(({ body }) => body)).toEqual(["From=%2B1&To=%2B2&Body=done", "From=%2B1&To=%2B3&Body=done"]);
    expect(sent[0]).toMatchObject({
      url: "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
      headers: {
        authorization: `Basic ${btoa("AC1:tok12")}`,
        "content-type": expect.stringContaining("x-www-form-urlencoded"),
      },
    });
  });

  it("of sendgridEmail sends one mail to all", async ({ expect }) => {
    const fields = {
      api_key: "SG.12345",
      sender_email: "a@example.com",
      to_emails: ["b@example.com", "c@example.com"],
    };
    await (await blocks.sendgridEmail.open(fields)).notify("done", "Nightly");
    expect(sent[0]?.headers["authorization"]).toBe("Bearer SG.12345");
    expect(json()).toEqual({
      personalizations: [{ to: [{ email: "b@example.com" }, { email: "c@example.com" }] }],
      from: { email: "a@example.com" },
      subject: "Nightly",
      content: [{ type: "text/plain", value: "done" }],
    });
  });

  it("of customWebhook fills in the message and its secrets", async ({ expect }) => {
    const fields = {
      name: "pager",
      url: "https://api.example/{{name}}",
      method: "PUT",
      params: { about: "{{subject}}" },
      json_data: { text: "{{ body }}", nested: [{ token: "{{apiToken}}" }], kept: 3 },
      headers: { "x-key": "key {{apiToken}}" },
      cookies: { session: "{{apiToken}}" },
      secrets: { apiToken: "t0ken-1" },
    } as const;
    await (await blocks.customWebhook.open(fields as never)).notify('a "quoted" text', "Hi & you");
    expect(sent[0]).toMatchObject({
      method: "PUT",
      url: "https://api.example/pager?about=Hi+%26+you",
      headers: { "x-key": "key t0ken-1", cookie: "session=t0ken-1" },
    });
    expect(json()).toEqual({ text: 'a "quoted" text', nested: [{ token: "t0ken-1" }], kept: 3 });
    const wrong = blocks.customWebhook.open({ name: "n", url: "https://a/{{other}}" });
    await expect(wrong).rejects.toThrow(/{{ other }}/);
  });

  it("throws what was answered, without any secret", async ({ expect }) => {
    answer = { status: 403, body: "no_service for token S3CRET-T0KEN" };
    const block = await blocks.slackWebhook.open({ url: "https://hooks.slack.com/S3CRET-T0KEN" });
    const other = await blocks.opsgenieWebhook.open({ apikey: "S3CRET-T0KEN" });
    await expect(block.notify("x")).rejects.toThrow(/not taken: 403 no_service/);
    await expect(other.notify("x")).rejects.toThrow("The message was not taken: 403 no_service for token ********");
  });
});

describe("opening a block", () => {
  it("masks its secrets from then on", async ({ expect }) => {
    const own = blocks.defineBlock({
      slug: "own",
      schema: z.object({
        login: z.object({ user: z.string(), word: z.string() }),
        headers: z.record(z.string(), z.string()),
      }),
      secrets: ["login.word", "headers.*"],
    });
    await own.open({ login: { user: "visible-user", word: "hidden-word" }, headers: { a: "hidden-head" } });
    expect(masked("visible-user hidden-word hidden-head")).toBe("visible-user ******** ********");
  });

  it("of the type webhook calls it, and hands the answer on", async ({ expect }) => {
    answer = { status: 418, body: "tea" };
    const response = await (await blocks.webhook.open({ url: "https://a.example/x", headers: { a: "b" } })).call({
      n: 1,
    });
    expect([response.status, await response.text()]).toEqual([418, "tea"]);
    expect(sent[0]).toMatchObject({ method: "POST", url: "https://a.example/x", body: '{"n":1}' });
  });

  it("of the type s3-bucket reads and writes below its folder, by either kind of credentials", async ({ expect }) => {
    await using s3 = await s3Server("data");
    const aws_client_parameters = { endpoint_url: s3.origin };
    const aws = { aws_access_key_id: KNOWN.accessKeyId, aws_secret_access_key: KNOWN.secretAccessKey };
    const minio = { minio_root_user: KNOWN.accessKeyId, minio_root_password: KNOWN.secretAccessKey };
    for (const credentials of [
      { ...aws, aws_client_parameters },
      { ...minio, aws_client_parameters },
    ]) {
      const bucket = await blocks.s3Bucket.open({ bucket_name: "data", bucket_folder: "in", credentials });
      await bucket.write("a.txt", new TextEncoder().encode("hello"));
      expect(new TextDecoder().decode((await bucket.read("a.txt")) ?? undefined)).toBe("hello");
    }
    expect([...s3.objects.keys()]).toEqual(["data/in/a.txt"]);
  });

  it("of the type local-file-system stays within its folder", async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-files-"));
    try {
      const files = await blocks.localFileSystem.open({ basepath: folder });
      await files.write("a/b c.txt", new Uint8Array([1]));
      expect([await files.read("a/./b c.txt"), await files.read("a/none")]).toEqual([Buffer.from([1]), null]);
      await expect(files.read("../x")).rejects.toThrow(/does not lead to a file within/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("emailServerCredentials", () => {
  /** A mail server that takes everything but the login "wrong" and the recipient "nobody@b.c". */
  async function mailServer() {
    const lines: string[] = [];
    let isData = false;
    const tcp = createTcpServer((socket) => {
      socket.write("220 mail.example\r\n");
      let buffer = "";
      socket.on("data", (chunk) => {
        buffer += chunk;
        for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
          const line = buffer.slice(0, end);
          buffer = buffer.slice(end + 2);
          lines.push(line);
          if (isData) {
            if (line === ".") socket.write("250 queued\r\n");
            isData = line !== ".";
          } else if (line.startsWith("EHLO")) socket.write("250-mail.example\r\n250 AUTH PLAIN\r\n");
          else if (line === `AUTH PLAIN ${btoa("\0ada@b.c\0wrong")}`) socket.write("535 no\r\n");
          else if (line.startsWith("AUTH")) socket.write("235 yes\r\n");
          else if (line.includes("nobody@")) socket.write("550 no such mailbox\r\n");
          else if (line === "DATA") {
            isData = true;
            socket.write("354 go on\r\n");
          } else socket.write(line === "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
        }
      });
    });
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    return {
      lines,
      port: (tcp.address() as AddressInfo).port,
      [Symbol.dispose]: () => void tcp.close(),
    };
  }

  const open = (port: number, password: string) =>
    blocks.emailServerCredentials.open({
      username: "ada@b.c",
      password,
      smtp_server: "127.0.0.1",
      smtp_type: "INSECURE",
      smtp_port: port,
    });

  it("sends a mail to several people", async ({ expect }) => {
    using mail = await mailServer();
    const text = "Grüße\n.\nend";
    await (await open(mail.port, "right")).send({ to: ["x@b.c", "Y <y@b.c>"], subject: "Späte\r\nBcc: z@b.c", text });
    const [, auth, from, to, also, data] = mail.lines;
    expect([auth, from, to, also, data]).toEqual([
      `AUTH PLAIN ${btoa("\0ada@b.c\0right")}`,
      "MAIL FROM:<ada@b.c>",
      "RCPT TO:<x@b.c>",
      "RCPT TO:<y@b.c>",
      "DATA",
    ]);
    expect(mail.lines.some((line) => line.startsWith("Bcc:"))).toBe(false);
    const body = mail.lines[mail.lines.indexOf(".") - 1] ?? "";
    expect(Buffer.from(body, "base64").toString()).toBe(text.replaceAll("\n", "\r\n"));
  });

  it("says what the server did not take, and never the password", async ({ expect }) => {
    using mail = await mailServer();
    const message = { to: ["nobody@b.c"], subject: "s", text: "t" };
    await expect((await open(mail.port, "wrong")).send(message)).rejects.toThrow(
      "The mail server did not take the login: 535 no",
    );
    await expect((await open(mail.port, "right")).send(message)).rejects.toThrow(/RCPT TO:<nobody@b.c>: 550 no such/);
    await expect((await open(1, "right")).send(message)).rejects.toThrow(/The mail server is away: .*ECONNREFUSED/);
  });
});
