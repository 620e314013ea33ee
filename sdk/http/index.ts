/** The door `sluice/http`: runs that are pushed to a URL. It imports no module of Node. */
export { type FetchHandler, type ServeFlowsOptions, serveFlows } from "./serve-flows.ts";
