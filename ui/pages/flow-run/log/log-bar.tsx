import { downloadFlowRunLogs } from "#protocol/flow-run-operations";
import { api } from "../../../api/client.ts";
import { LateInput } from "../../../components/late-input.tsx";
import { FILTER } from "../../../components/list-keys.ts";
import { localTime } from "../../../components/time-input.tsx";
import { Button } from "../../../elements/button.tsx";
import type { RunPartProps } from "../page.tsx";
import { LEVELS } from "./levels.ts";

export interface LogBarProps extends RunPartProps {
  readonly isFollowing: boolean;
  readonly onFollow: () => void;
}

/** Which lines are shown, and what else may be done with them. */
export function LogBar({ run, live, search, onSearch, isFollowing, onFollow }: LogBarProps) {
  const { line: _, ...rest } = search;
  const task = search.task && live.tasks.get(search.task);
  return (
    <div className="row spread">
      <div className="row">
        <select
          className="select"
          aria-label="Least level"
          value={search.level ?? 0}
          onChange={(event) => onSearch({ ...rest, level: Number(event.target.value) || undefined })}
        >
          {LEVELS.map(([level, text]) => (
            <option key={level} value={level}>
              {text}
            </option>
          ))}
        </select>
        <div style={{ width: "14rem" }}>
          <LateInput
            label="Search the log"
            placeholder="Search the log  ( / )"
            value={search.text ?? ""}
            onChange={(text) => onSearch({ ...rest, text: text || undefined })}
            {...FILTER}
          />
        </div>
        {task && (
          <Button size="small" onClick={() => onSearch({ ...rest, task: undefined })}>
            Only {task.name} ✕
          </Button>
        )}
      </div>
      <div className="row">
        <JumpToTime run={run} line={search.line} onJump={(at) => onSearch({ ...rest, line: at })} />
        {search.line ? (
          <Button size="small" onClick={() => onSearch(rest)}>
            Back to the end
          </Button>
        ) : (
          <Button size="small" aria-pressed={isFollowing} onClick={onFollow}>
            {isFollowing ? "Following" : "Follow the end"}
          </Button>
        )}
        <a
          className="button"
          data-size="small"
          href={`${api.url}${downloadFlowRunLogs.path.replace(":id", run.id)}`}
          download
        >
          Download
        </a>
      </div>
    </div>
  );
}

interface JumpToTimeProps {
  readonly run: LogBarProps["run"];
  readonly line: string | undefined;
  readonly onJump: (at: string | undefined) => void;
}

/** Goes to the lines around an instant, typed in the viewer's zone. */
function JumpToTime({ run, line, onJump }: JumpToTimeProps) {
  return (
    <>
      <Button size="small" onClick={() => onJump(run.start_time ?? run.created)}>
        To the start
      </Button>
      <input
        className="input"
        style={{ width: "auto" }}
        type="datetime-local"
        step={1}
        aria-label="Jump to a time"
        title="Jump to a time"
        value={localTime(line ?? run.end_time ?? run.start_time ?? run.created)}
        onChange={({ target }) => {
          const at = new Date(target.value);
          if (Number.isFinite(at.getTime())) onJump(at.toISOString());
        }}
      />
    </>
  );
}
