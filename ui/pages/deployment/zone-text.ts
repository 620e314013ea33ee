/** An instant as clocks in a zone show it, the viewer's unless given: `Mon, Nov 23, 06:00 GMT`. */
export function zoneText(at: number, timeZone?: string): string {
  return new Intl.DateTimeFormat(undefined, {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    ...(timeZone && { timeZone }),
  }).format(at);
}

/** How far a zone is from UTC at an instant: `GMT+1`. */
export function offsetText(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
}
