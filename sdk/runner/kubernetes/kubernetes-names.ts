/** Names and labels as Kubernetes allows them, made of names that people chose. */

/** DNS labels, which names of Jobs are, since pods are named after them. */
const LONGEST_NAME = 63;
const LONGEST_VALUE = 63;

/** A name that no other Job has. The claim's number tells a second attempt from the first one. */
export function jobName(name: string, generation: number): string {
  const end = `-${generation}-${crypto.randomUUID().slice(0, 8)}`;
  const start = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, LONGEST_NAME - end.length)
    .replace(/^-+|-+$/g, "");
  return `${start || "run"}${end}`;
}

/** What cannot be a label at all is left out. */
export function labelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(labels).map(([key, value]) => [labelKey(key), labelValue(value)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[0] !== null));
}

function labelKey(key: string): string | null {
  const [name = "", ...prefixes] = key.split("/").reverse();
  const allowed = trimmed(name);
  if (allowed === "") return null;
  const prefix = prefixes
    .reverse()
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .split(".")
    .map((part) => part.slice(0, LONGEST_NAME).replace(/^-+|-+$/g, ""))
    .filter((part) => part !== "")
    .join(".");
  return prefix === "" ? allowed : `${prefix}/${allowed}`;
}

/** May be empty. */
export function labelValue(value: string): string {
  return trimmed(value);
}

function trimmed(text: string): string {
  return text
    .replace(/[^a-zA-Z0-9_.-]+/g, "-")
    .replace(/^[^a-zA-Z0-9]+/, "")
    .slice(0, LONGEST_VALUE)
    .replace(/[^a-zA-Z0-9]+$/, "");
}
