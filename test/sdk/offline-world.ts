/** The package's own world for tests, under the short names that these tests use. */
export { type OfflineWorld, offlineWorld, stateNames as names } from "../../sdk/testing/index.ts";
