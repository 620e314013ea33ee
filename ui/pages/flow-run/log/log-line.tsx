import { memo } from "react";
import type { Log } from "#protocol/logs";
import { exactText } from "../../../elements/spans.ts";
import { ansiPieces } from "./ansi.ts";
import { levelName } from "./levels.ts";

export interface LogLineProps {
  readonly line: Log;
  /** Of the task run that wrote it; null for the flow, or where it is plain. */
  readonly taskName: string | null;
  /** The address leads to this line. */
  readonly isLinked: boolean;
  readonly onLink?: (line: Log) => void;
}

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  // Not `hour12: false`, which has midnight as 24:00 in some languages.
  hourCycle: "h23",
});

/** One line of a log. Its time is a link to it. */
export const LogLine = memo(function LogLine({ line, taskName, isLinked, onLink }: LogLineProps) {
  const at = Date.parse(line.timestamp);
  const time = <time title={exactText(at)}>{TIME.format(at)}</time>;
  return (
    <div className="log-line" data-level={levelName(line.level)} data-linked={isLinked || undefined}>
      {onLink ? (
        <button type="button" className="link log-time" title="Link to this line" onClick={() => onLink(line)}>
          {time}
        </button>
      ) : (
        <span className="log-time">{time}</span>
      )}
      <span className="log-level">{levelName(line.level)}</span>
      <span className="log-message">
        {taskName && <span className="log-task">{taskName} </span>}
        {ansiPieces(line.message).map(({ text, classes }, index) =>
          classes === "" ? (
            text
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line do not move.
            <span key={index} className={classes}>
              {text}
            </span>
          ),
        )}
      </span>
    </div>
  );
});
