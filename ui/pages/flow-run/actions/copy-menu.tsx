import * as Menu from "@radix-ui/react-dropdown-menu";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Deployment } from "#protocol/deployments";
import type { FlowRun } from "#protocol/flow-runs";
import { readFlow } from "#protocol/flows";
import { read } from "../../../api/read.ts";
import { asCli, asCurl, asTypeScript } from "./copied-call.ts";

/** The same run again, as something to paste. */
export function CopyMenu({ run, deployment }: { readonly run: FlowRun; readonly deployment: Deployment | null }) {
  const { data: flow } = useQuery(read(readFlow, { params: { id: run.flow_id } }));
  const [copied, setCopied] = useState(false);
  const call = deployment && flow ? { run, deployment, flow, origin: location.origin } : null;
  const forms = [
    ["As a command", asCli],
    ["As curl", asCurl],
    ["As TypeScript", asTypeScript],
  ] as const;
  const copy = async (text: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <Menu.Root>
      <Menu.Trigger asChild>
        <button type="button" className="button">
          {copied ? "Copied" : "Copy"}
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
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
