import * as Menu from "@radix-ui/react-dropdown-menu";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Deployment } from "#protocol/deployments";
import type { FlowRun } from "#protocol/flow-runs";
import { readFlow } from "#protocol/flows";
import { read } from "../../../api/read.ts";
import { toClipboard } from "../../../elements/clipboard.ts";
import { asCli, asCurl, asTypeScript } from "./copied-call.ts";

const THANKS_MS = 1_500;

export interface CopyMenuProps {
  readonly run: FlowRun;
  /** Undefined while it is read; null where there is none any more. */
  readonly deployment: Deployment | null | undefined;
}

/** The same run again, as something to paste. */
export function CopyMenu({ run, deployment }: CopyMenuProps) {
  const { data: flow } = useQuery(read(readFlow, { params: { id: run.flow_id } }));
  const [said, setSaid] = useState<string | null>(null);
  const call = deployment && flow ? { run, deployment, flow, origin: location.origin } : null;
  const reason =
    run.deployment_id === null
      ? "It is of no deployment, so nothing can start it again."
      : deployment === null
        ? "Its deployment was deleted."
        : "Its deployment is not read yet.";
  const forms = [
    ["As a command", asCli],
    ["As curl", asCurl],
    ["As TypeScript", asTypeScript],
  ] as const;
  const copy = async (text: string): Promise<void> => {
    setSaid(await toClipboard(text));
    setTimeout(() => setSaid(null), THANKS_MS);
  };
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <button type="button" className="button">
          <span aria-live="polite">{said ?? "Copy"}</span>
        </button>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="menu" align="end" sideOffset={4}>
          <Menu.Item className="menu-item" onSelect={() => void copy(run.id)}>
            The id
          </Menu.Item>
          {forms.map(([title, form]) => (
            <Menu.Item
              key={title}
              className="menu-item"
              disabled={call === null}
              onSelect={() => call && void copy(form(call))}
            >
              {title}
            </Menu.Item>
          ))}
          {call === null && <Menu.Label className="menu-item quiet">{reason}</Menu.Label>}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
