/** Where a push goes: what the pool's template makes of the job's variables, and whether it may be called. */
import type { JsonObject } from "#protocol/flow-runs";
import { httpTemplate } from "../collections/http-template.ts";

export interface PushAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Address of the API as the target sees it; null where it knows by itself. */
  readonly apiUrl: string | null;
}

const WHOLE = /^\{\{\s*([\w.]+)\s*\}\}$/;
const PART = /\{\{\s*([^}]*?)\s*\}\}/g;
/** They say whose request it is, and where it begins and ends. */
const OWN_HEADERS = /^(webhook-.*|content-type|content-length|host|connection|transfer-encoding)$/i;

/** The address, or a sentence that says why there is none. */
export function pushAddress(given: JsonObject, jobVariables: JsonObject): PushAddress | string {
  // A pool that was made without a template has that of its type.
  const template = Object.keys(given).length > 0 ? given : { ...httpTemplate };
  const variables = { ...defaultsOf(template), ...jobVariables };
  const { url, headers, api_url } = resolved((template["job_configuration"] ?? {}) as JsonObject, variables);
  if (typeof url !== "string" || url === "") {
    return "There is no URL to push to: set the job variable url of the deployment, or its default in the work pool's template.";
  }
  const sent = Object.entries((headers ?? {}) as JsonObject).map(([name, value]) => [name, String(value)] as const);
  const unusable = sent.find(([name, value]) => OWN_HEADERS.test(name) || value.includes("{{") || /[\r\n]/.test(value));
  if (unusable) return `The header ${unusable[0]} of the job variables cannot be sent.`;
  return {
    url,
    headers: Object.fromEntries(sent),
    apiUrl: typeof api_url === "string" && api_url !== "" ? api_url : null,
  };
}

/** Why the address may not be called; null when it may. */
export function refusedAddress(url: string, allowsPrivate: boolean): string | null {
  if (url.includes("{{")) return `The URL ${url} holds a reference, and those of http work pools are not resolved.`;
  if (!URL.canParse(url)) return `"${url}" is not a URL. Give one such as https://flows.example.com/run.`;
  const { protocol, hostname, username } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return `The URL ${url} is neither http nor https.`;
  if (username !== "")
    return "The URL holds a name or a password. Leave them out: a push proves itself by its signature.";
  if (allowsPrivate) return null;
  if (protocol !== "https:") return `The URL ${url} is not https. ${HOW_TO_ALLOW}`;
  return isPrivate(hostname) ? `${hostname} is an address of a private network. ${HOW_TO_ALLOW}` : null;
}

const HOW_TO_ALLOW = 'Set the variable SLUICE_PRIVATE_TARGETS of the control plane to "allow" if it may be called.';

function isPrivate(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) return isPrivateV6(name.slice(1, -1));
  // The URL parser has brought every way to write an address of version 4 into this form.
  const bytes = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(name)?.slice(1).map(Number);
  if (bytes) return isPrivateV4(bytes);
  return !name.includes(".") || /\.(localhost|local|internal|intranet|lan|home|corp|arpa)$/.test(name);
}

function isPrivateV4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  if (a === 100) return b >= 64 && b < 128;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b < 32;
  if (a === 192) return b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99);
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  return a === 203 && b === 0 && c === 113;
}

/** Only what is given out to the public (2000::/3) is called, and there not what stands for an address of version 4. */
function isPrivateV6(address: string): boolean {
  const first = Number.parseInt(address.split(":")[0] || "0", 16);
  return (
    first < 0x2000 ||
    first > 0x3fff ||
    first === 0x2002 ||
    address.startsWith("2001:0:") ||
    address.startsWith("2001::") ||
    address.startsWith("2001:db8:")
  );
}

/** What the template's variables are where a job does not say. */
export function defaultsOf(template: JsonObject): JsonObject {
  const { properties = {} } = (template["variables"] ?? {}) as { properties?: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, declared]) =>
      typeof declared === "object" && declared !== null && "default" in declared ? [[name, declared.default]] : [],
    ),
  );
}

function resolved(configuration: JsonObject, variables: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(configuration).map(([key, value]) => [key, filled(value, variables)]));
}

/** What has no value is left out; references to blocks and the environment stay as they are, and are refused later. */
function filled(value: unknown, variables: JsonObject): unknown {
  if (typeof value !== "string") return value;
  const whole = WHOLE.exec(value)?.[1];
  if (whole !== undefined && !whole.startsWith("prefect.")) return variables[whole];
  return value.replaceAll(PART, (text, name: string) => (name in variables ? String(variables[name]) : text));
}
