import { z } from "zod";

/** What pages keep in their address that open one thing in a dialog. */
export const OpenSearch = z.object({
  /** What is open over the page: "new", or what names one of the things that are shown. */
  open: z.string().min(1).optional().catch(undefined),
});

/** What pages keep in their address that list things by name. */
export const ListSearch = OpenSearch.extend({ name: z.string().min(1).optional().catch(undefined) });
export type ListSearch = z.infer<typeof ListSearch>;
