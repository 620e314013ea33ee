/** The door `sluice/testing`: flows in tests, without a server or with one of the test's own. */

export type { RecordedRun } from "../flow/engine/offline-backend.ts";
export type { TaskReport } from "../protocol/run-channel.ts";
export { cancel, crash, type Fault, type FaultPoint, fail, loseConnection } from "./faults.ts";
export { ProcessCrashedError } from "./mortal-process.ts";
export { type OfflineWorld, type OfflineWorldOptions, offlineWorld, stateNames } from "./offline-world.ts";
export { TEST_START, TestClock, type TestClockOptions } from "./test-clock.ts";
export { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";
