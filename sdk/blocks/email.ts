/** The block type of a mail server. */
import { z } from "zod";
import { defineBlock } from "./define-block.ts";
import { type Mail, sendMail } from "./smtp.ts";

const PORTS = { ssl: 465, starttls: 587, insecure: 25 } as const;
const HOSTS: Readonly<Record<string, string>> = {
  aol: "smtp.aol.com",
  att: "smtp.mail.att.net",
  comcast: "smtp.comcast.net",
  icloud: "smtp.mail.me.com",
  gmail: "smtp.gmail.com",
  outlook: "smtp-mail.outlook.com",
  yahoo: "smtp.mail.yahoo.com",
};

/** A mail server: `await (await emailServerCredentials.load("mail")).send({ to: ["a@b.c"], subject, text })`. */
export const emailServerCredentials = defineBlock({
  slug: "email-server-credentials",
  name: "Email Server Credentials",
  schema: z.object({
    username: z.string().nullish(),
    password: z.string().nullish(),
    /** A host, or one of Prefect's words for one, such as "gmail". */
    smtp_server: z.string().default("smtp.gmail.com"),
    /** "SSL", "STARTTLS" or "INSECURE"; or the port that stands for one: 465, 587, 25. */
    smtp_type: z.union([z.string(), z.number()]).default("SSL"),
    smtp_port: z.int().nullish(),
  }),
  secrets: ["password"],
  open: ({ username, password, smtp_server, smtp_type, smtp_port }) => {
    const security = securityOf(smtp_type);
    const server = {
      host: HOSTS[smtp_server.toLowerCase()] ?? smtp_server,
      port: smtp_port ?? PORTS[security],
      security,
      login: username && password ? { username, password } : null,
    };
    return {
      /** Throws what the server said when it did not take the message. */
      send(mail: Mail): Promise<void> {
        const from = mail.from ?? username;
        if (!from) throw new TypeError('The mail has no sender. Give "from", or the block a username.');
        return sendMail(server, from, mail);
      },
    };
  },
});

function securityOf(type: string | number): keyof typeof PORTS {
  const name = String(type).toLowerCase();
  for (const [security, port] of Object.entries(PORTS)) {
    if (name === security || name === String(port)) return security as keyof typeof PORTS;
  }
  throw new TypeError(`smtp_type is ${JSON.stringify(type)}. Give "SSL", "STARTTLS" or "INSECURE".`);
}
