/** A bare WebSocket conversation: frames out, the next matching frame in. Only for measuring; users have sdk/client. */

export interface Conversation {
  send(frame: unknown): void;
  /** The next frame that arrives and is not taken by anybody else. */
  next<T>(): Promise<T>;
  close(): void;
}

export function converse(url: string): Promise<Conversation> {
  const socket = new WebSocket(url);
  const arrived: unknown[] = [];
  const waiting: ((frame: unknown) => void)[] = [];
  socket.addEventListener("message", (event) => {
    const frame: unknown = JSON.parse(String(event.data));
    const taker = waiting.shift();
    if (taker) taker(frame);
    else arrived.push(frame);
  });
  return new Promise((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error(`No WebSocket at ${url}.`)), { once: true });
    socket.addEventListener("open", () =>
      resolve({
        send: (frame) => socket.send(JSON.stringify(frame)),
        next: <T>() =>
          new Promise<T>((take) => {
            if (arrived.length > 0) take(arrived.shift() as T);
            else waiting.push(take as (frame: unknown) => void);
          }),
        close: () => socket.close(),
      }),
    );
  });
}

/** A report of a task run that went through the given states, as the run channel takes it. */
export function taskReport(index: number, types: readonly string[]): unknown {
  const id = crypto.randomUUID();
  return {
    kind: "task",
    task: {
      id,
      name: `step-${index}`,
      task_key: "step",
      dynamic_key: String(index),
      run_count: 1,
      states: types.map((type) => ({
        id: crypto.randomUUID(),
        type,
        name: type,
        timestamp: new Date().toISOString(),
        message: null,
        data: null,
        state_details: {},
      })),
    },
  };
}
