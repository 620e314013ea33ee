/** The door `sluice/client`: the API client, blocks and the run channel. */

export { type ApiClient, type CallInput, type CallOptions, type ClientOptions, createClient } from "./api-client.ts";
export { type BlockName, loadBlock, saveBlock } from "./blocks.ts";
export { ApiUnreachableError } from "./errors.ts";
export { watchEvents } from "./event-stream.ts";
export { RunChannel, type RunChannelOptions, type RunControl, type Welcome } from "./run-channel.ts";
