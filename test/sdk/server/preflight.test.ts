import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, it } from "vitest";
import { checkPort } from "../../../sdk/server/preflight.ts";

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
    let isOver = false;
    const outcomes = new Set<string>();
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const socket = connect(port, "127.0.0.1");
        outcomes.add(
          await new Promise<string>((resolve) => {
            socket.once("connect", () => resolve("accepted"));
            socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
          }),
        );
        socket.destroy();
      }
    });
    for (let checks = 0; checks < 200; checks += 1) await checkPort("127.0.0.1", port);
    isOver = true;
    await Promise.all(clients);
    expect([...outcomes]).toEqual(["ECONNREFUSED"]);
  });
});
