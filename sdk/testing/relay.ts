/** A port that hands connections on to another one of this machine, until a test cuts them. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The port, open until it is disposed of. */
export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections at once and refuses new ones. */
  cut(): void;
  /** Hands new connections on again. */
  restore(): void;
}

/** Opens a free port of the loopback whose connections go to `target`, a port of the loopback. */
export async function openRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // Whatever becomes of one side becomes of the other.
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
    keep(near, far);
    keep(far, near);
    near.pipe(far).pipe(near);
  });
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    restore() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
