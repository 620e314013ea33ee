import { z } from "zod";

/** What pages keep in their address that only look for names. */
export const ListSearch = z.object({ name: z.string().min(1).optional().catch(undefined) });
export type ListSearch = z.infer<typeof ListSearch>;
