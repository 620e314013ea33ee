import { z } from "zod";
import { word } from "./search-values.ts";

/** What pages keep in their address that open one thing in a dialog. */
export const OpenSearch = z.object({
  /** What is open over the page: "new", or what names one of the things that are shown. */
  open: word,
});

/** What pages keep in their address that list things by name. */
export const ListSearch = OpenSearch.extend({ name: word });
export type ListSearch = z.infer<typeof ListSearch>;
