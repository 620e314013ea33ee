import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { describe, it } from "vitest";
import { checkPort } from "../../../sdk/server/preflight.ts";

const CLIENTS = `
  const { connect } = require("node:net");
  const { parentPort, workerData } = require("node:worker_threads");
  const outcomes = new Set();
  let isOver = false;
  parentPort.once("message", () => { isOver = true; });
  const attempt = () => {
    if (isOver) return void parentPort.postMessage([...outcomes]);
    const socket = connect(workerData, "127.0.0.1");
    socket.once("connect", () => { outcomes.add("accepted"); socket.destroy(); });
    socket.once("error", (error) => outcomes.add(error.code));
    socket.once("close", attempt);
  };
  attempt();
`;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("the check of the port", () => {
  it("refuses one on which somebody listens, also where all addresses are asked for", async ({ expect }) => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await expect(checkPort("127.0.0.1", port)).rejects.toMatchObject({ code: "port_in_use" });
    await expect(checkPort("0.0.0.0", port)).rejects.toMatchObject({ code: "port_in_use" });
    server.close();
  });

  it("refuses an address that is not this machine's", async ({ expect }) => {
    await expect(checkPort("203.0.113.7", await freePort())).rejects.toMatchObject({ code: "address_invalid" });
  });

  it("never accepts a client that tries to come back", async ({ expect }) => {
    const port = await freePort();
    // In a thread of their own: in this one they would have their turns only when the port is closed again.
    const clients = new Worker(CLIENTS, { eval: true, workerData: port });
    await once(clients, "online");
    for (let checks = 0; checks < 1_000; checks += 1) await checkPort("127.0.0.1", port);
    clients.postMessage("stop");
    const [outcomes] = await once(clients, "message");
    expect(outcomes).toEqual(["ECONNREFUSED"]);
  });
});
