/** The bare substrate that every figure is compared with: the same runtime, and nothing of Sluice. */
import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  OBJECT: DurableObjectNamespace<BareObject>;
  DB: D1Database;
}

export class BareObject extends DurableObject<BareEnv> {
  constructor(ctx: DurableObjectState, env: BareEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)");
  }

  /** One inserted row, its own commit. */
  insert(doc: string): number {
    return this.ctx.storage.sql.exec<{ id: number }>("INSERT INTO rows (doc) VALUES (?) RETURNING id", doc).one().id;
  }

  override async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** One row for each frame, acknowledged by its number. */
  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const { n, items } = JSON.parse(String(message)) as { n: number; items: unknown[] };
    this.insert(JSON.stringify(items));
    socket.send(JSON.stringify({ n }));
  }
}

export default {
  async fetch(request: Request, env: BareEnv): Promise<Response> {
    const path = new URL(request.url).pathname;
    const object = env.OBJECT.getByName("bare");
    if (path === "/insert") return Response.json(await object.insert(await request.text()));
    if (path === "/socket") return object.fetch(request);
    return Response.json(true);
  },
} satisfies ExportedHandler<BareEnv>;
