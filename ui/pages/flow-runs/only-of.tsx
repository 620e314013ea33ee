import { useDeploymentNames, useFlowNames, useRunNames } from "../../api/names.ts";
import { Button } from "../../elements/button.tsx";
import type { RunsSearch } from "./runs-search.ts";

export interface OnlyOfProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** What a link has narrowed the list to, where no field says it: runs of one flow or deployment, or subflows of one run. */
export function OnlyOf({ search, onChange }: OnlyOfProps) {
  const { flowId, deploymentId, parentId } = search;
  const flows = useFlowNames([flowId ?? null]);
  const deployments = useDeploymentNames([deploymentId ?? null]);
  const runs = useRunNames([parentId ?? null]);
  const only = [
    ["flowId", flowId && `the flow ${flows.get(flowId) ?? "…"}`],
    ["deploymentId", deploymentId && `the deployment ${deployments.get(deploymentId) ?? "…"}`],
    ["parentId", parentId && `subflows of ${runs.get(parentId) ?? "…"}`],
  ] as const;
  return only.map(
    ([key, text]) =>
      text && (
        <Button
          key={key}
          title="Take this filter away"
          aria-label={`Only ${text}: take this filter away`}
          onClick={() => onChange({ ...search, [key]: undefined })}
        >
          <span className="cut" style={{ maxWidth: "16rem" }}>
            Only {text}
          </span>{" "}
          ✕
        </Button>
      ),
  );
}
