import { filterConcurrencyLimitsV2 } from "#protocol/concurrency-limits";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";

export const limitsQuery = readPages(filterConcurrencyLimitsV2, { body: {} }, LIVE_MS);
