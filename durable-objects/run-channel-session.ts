/**
 * One process's conversation over the run channel (protocol/run-channel.ts): parses frames, hands them to the owner
 * and says what to answer. It keeps nothing of its own: who is talking is the socket's attachment, or the first frame
 * of a request.
 */
import { ownRunPolicy } from "#machine/policies/flow-run";
import type { FlowRun } from "#protocol/flow-runs";
import type { FlowRunId } from "#protocol/ids";
import { RUN_CHANNEL_PROTOCOL, RunClientFrame, type RunServerFrame } from "#protocol/run-channel";
import type { OrchestrationResult } from "#protocol/states";
import type { GroupCommit } from "./group-commit.ts";
import type { Places } from "./places.ts";
import type { ReportRecorder } from "./report-recorder.ts";
import type { RunClaims } from "./run-claims.ts";
import type { RunRecorder } from "./run-recorder.ts";
import type { SignsOfLife } from "./signs-of-life.ts";
import type { RunRow } from "./storage/run-rows.ts";

/** Who is at the other end, once it has said hello. */
export interface ChannelPeer {
  readonly flowRunId: FlowRunId;
  readonly session: string;
  readonly generation: number;
}

/** What the session needs of its object. */
export interface ChannelOwner {
  readonly commit: GroupCommit;
  readonly recorder: RunRecorder;
  readonly claims: RunClaims;
  readonly life: SignsOfLife;
  readonly reports: ReportRecorder;
  readonly places: Places;
  readonly heartbeatMs: number;
  row(id: FlowRunId): RunRow | null;
  document(id: FlowRunId): FlowRun | null;
  seen(id: FlowRunId): void;
}

/** The answer to a frame, and whether the conversation goes on with which peer. */
export interface ChannelAnswer {
  readonly frames: readonly RunServerFrame[];
  readonly peer: ChannelPeer | null;
}

/** Reads one text frame; a string is the reason why it is none. */
export function parseFrame(text: string): RunClientFrame | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "The frame is not JSON.";
  }
  const parsed = RunClientFrame.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return `Field "${issue?.path.join(".") ?? ""}" of the frame: ${issue?.message ?? "is not valid"}.`;
}

/** Handles one frame. A peer of null in the answer ends the conversation after its last frame. */
export async function answerFrame(
  owner: ChannelOwner,
  flowRunId: FlowRunId,
  peer: ChannelPeer | null,
  frame: RunClientFrame,
): Promise<ChannelAnswer> {
  owner.seen(flowRunId);
  if (frame.type === "hello") return hello(owner, flowRunId, frame);
  if (peer === null) return refuse("hello_missing", "The first frame was not `hello`.", "Say hello first.");
  switch (frame.type) {
    case "batch": {
      const outcome = await owner.commit.run(() => {
        const current = currentGeneration(owner.row(flowRunId));
        if (current === null) return "gone";
        if (current > peer.generation) return "stale";
        const tasks = frame.items.flatMap((item) => (item.kind === "task" ? [item.task] : []));
        const logs = frame.items.flatMap((item) => (item.kind === "log" ? [item.log] : []));
        owner.reports.storeBatch(flowRunId, peer.session, frame.n, tasks, logs);
        return "stored";
      });
      if (outcome === "gone") return unknownRun(flowRunId);
      if (outcome === "stale") return stale(peer.generation);
      return { frames: [{ type: "ack", n: frame.n }], peer };
    }
    case "propose": {
      const proposal = { state: frame.state, force: frame.force };
      const outcome = await owner.places.propose(
        flowRunId,
        proposal,
        (asked): OrchestrationResult | "gone" | "stale" => {
          const current = currentGeneration(owner.row(flowRunId));
          if (current !== null && current > peer.generation) return "stale";
          const proposed = owner.recorder.propose(flowRunId, { ...proposal, policy: ownRunPolicy(frame.state) }, asked);
          return proposed === null ? "gone" : proposed.result;
        },
      );
      if (outcome === "gone") return unknownRun(flowRunId);
      if (outcome === "stale") return stale(peer.generation);
      return { frames: [{ type: "verdict", id: frame.id, result: outcome }], peer };
    }
    default:
      return frame satisfies never;
  }
}

function hello(
  owner: ChannelOwner,
  flowRunId: FlowRunId,
  frame: Extract<RunClientFrame, { type: "hello" }>,
): ChannelAnswer {
  if (frame.protocol !== RUN_CHANNEL_PROTOCOL) {
    return refuse(
      "protocol_unsupported",
      `This control plane speaks run channel protocol ${RUN_CHANNEL_PROTOCOL}, not ${frame.protocol}.`,
      "Use versions of Sluice on both sides that are at most one release apart.",
    );
  }
  const row = owner.row(flowRunId);
  const current = currentGeneration(row);
  // Who claimed the run over REST was told no number.
  const claimed = frame.generation ?? (row?.lease == null ? (current ?? 0) : 0);
  if (current === null) return unknownRun(flowRunId);
  if (claimed !== current) return stale(claimed);
  if (!owner.claims.takeUp(flowRunId, frame.session)) {
    return refuse(
      "stale_generation",
      `Claim ${claimed} of this run was taken up by another process.`,
      "Do nothing: the run was pushed twice, and the other process executes it.",
    );
  }
  // Usually nothing is written here; where it is, it is one row, which needs no common transaction.
  const acked = owner.life.openSession(flowRunId, frame.session);
  const run = owner.document(flowRunId);
  if (run === null) return unknownRun(flowRunId);
  return {
    frames: [
      {
        type: "welcome",
        protocol: RUN_CHANNEL_PROTOCOL,
        run,
        generation: claimed,
        heartbeat_interval_ms: owner.heartbeatMs,
        acked,
      },
    ],
    peer: { flowRunId, session: frame.session, generation: claimed },
  };
}

/** Claims count up; 0 for a run that was never claimed, null for one that does not exist. */
function currentGeneration(row: RunRow | null): number | null {
  return row === null ? null : row.claims;
}

/** The answer about a run that does not exist, or not any more. */
export function unknownRun(id: FlowRunId): ChannelAnswer {
  return refuse("not_found", `Flow run ${id} does not exist.`, "It was deleted: stop working on it.");
}

function stale(generation: number): ChannelAnswer {
  return refuse(
    "stale_generation",
    `Claim ${generation} of this run is over: another claim was made since.`,
    "Stop working on the run; whatever this process still reports is refused.",
  );
}

function refuse(code: string, message: string, fix: string): ChannelAnswer {
  return { frames: [{ type: "error", code, message, fix }], peer: null };
}
