/** The one client of the API, at the origin that served this page. The cookie of the sign-in goes with each request. */
import { createClient } from "../../sdk/client/api-client.ts";

/** Queries ask again by themselves; a longer patience would only delay the news that nobody answers. */
const PATIENCE_MS = 1_500;

export const api = createClient({ url: `${location.origin}/api`, patienceMs: PATIENCE_MS });
