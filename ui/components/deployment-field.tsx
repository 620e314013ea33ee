import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue } from "react";
import { filterDeployments, readDeploymentByName } from "#protocol/deployments";
import type { DeploymentId } from "#protocol/ids";
import { api } from "../api/client.ts";
import { useFlowNames } from "../api/names.ts";
import { read } from "../api/read.ts";
import { TextField } from "./text-field.tsx";

const SUGGESTIONS = 20;

export interface DeploymentFieldProps {
  readonly label: string;
  /** `flow/deployment`, as far as it is typed. */
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A deployment by its name, with those that are like what is typed. */
export function DeploymentField({ label, value, onChange }: DeploymentFieldProps) {
  const typed = useDeferredValue(value.split("/").at(-1)?.trim() ?? "");
  const { data } = useQuery({
    ...read(filterDeployments, {
      body: {
        deployments: typed === "" ? {} : { flow_or_deployment_name: { like_: typed } },
        sort: "NAME_ASC",
        limit: SUGGESTIONS,
      },
    }),
    placeholderData: keepPreviousData,
  });
  const flows = useFlowNames((data ?? []).map(({ flow_id }) => flow_id));
  return (
    <>
      <TextField
        label={label}
        required
        list="deployments"
        pattern=".+/.+"
        placeholder="flow/deployment"
        value={value}
        onChange={onChange}
      />
      <datalist id="deployments">
        {data?.map(({ id, name, flow_id }) => (
          <option key={id} value={`${flows.get(flow_id) ?? "…"}/${name}`} />
        ))}
      </datalist>
    </>
  );
}

/** Fails when there is no deployment of this name. */
export async function deploymentNamed(text: string): Promise<DeploymentId> {
  const slash = text.indexOf("/");
  const params = { flow: text.slice(0, slash).trim(), deployment: text.slice(slash + 1).trim() };
  return (await api.call(readDeploymentByName, { params })).id;
}
