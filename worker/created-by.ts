/** Who made something, as the headers of Prefect's automations tell it. */
import type { Context } from "hono";
import type { CreatedBy } from "#protocol/flow-runs";
import { Uuid } from "#protocol/ids";

/** Null unless an automation makes the request; its name travels as base64. */
export function createdBy(c: Context): CreatedBy | null {
  const id = Uuid.safeParse(c.req.header("prefect-automation-id"));
  const name = c.req.header("prefect-automation-name");
  if (!id.success || !name) return null;
  try {
    const bytes = Uint8Array.from(atob(name), (char) => char.charCodeAt(0));
    return { id: id.data, type: "AUTOMATION", display_value: new TextDecoder().decode(bytes) };
  } catch {
    // Not base64: as upstream, the run is then made by nobody.
    return null;
  }
}
