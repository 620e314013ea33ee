import { useDeploymentNames, useFlowNames, useRunNames } from "../../api/names.ts";
import { Button } from "../../elements/button.tsx";
import { exactText } from "../../elements/spans.ts";
import { LEVELS, MADE_BY, TEXTS, TIMES } from "./filter-words.ts";
import type { RunsSearch } from "./runs-search.ts";

export interface FilterChipsProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

interface Chip {
  readonly text: string;
  /** The search without it. */
  readonly without: RunsSearch;
}

/** What narrows the list where no field in sight says it: by a link, or among the filters that are not shown at first. */
export function FilterChips({ search, onChange }: FilterChipsProps) {
  const { flowId, deploymentId, parentId } = search;
  const flows = useFlowNames([flowId ?? null]);
  const deployments = useDeploymentNames([deploymentId ?? null]);
  const runs = useRunNames([parentId ?? null]);
  const links = [
    ["flowId", flowId && `Only the flow ${flows.get(flowId) ?? "…"}`],
    ["deploymentId", deploymentId && `Only the deployment ${deployments.get(deploymentId) ?? "…"}`],
    ["parentId", parentId && `Only subflows of ${runs.get(parentId) ?? "…"}`],
  ] as const;
  const fromLinks = links.flatMap(([key, text]) => (text ? [{ text, without: { ...search, [key]: undefined } }] : []));
  return [...fromLinks, ...chipsOf(search)].map(({ text, without }) => (
    <Button
      key={text}
      size="small"
      title="Take this filter away"
      aria-label={`${text}: take this filter away`}
      onClick={() => onChange(without)}
    >
      <span className="cut" style={{ maxWidth: "18rem" }}>
        {text}
      </span>{" "}
      ✕
    </Button>
  ));
}

function chipsOf(search: RunsSearch): readonly Chip[] {
  const one = (key: keyof RunsSearch, text: string | false | undefined): Chip[] =>
    text ? [{ text, without: { ...search, [key]: undefined } }] : [];
  const each = (key: "stateNames" | "anyTag", textOf: (value: string) => string): Chip[] =>
    (search[key] ?? []).map((value) => {
      const rest = search[key]?.filter((other) => other !== value) ?? [];
      return { text: textOf(value), without: { ...search, [key]: rest.length > 0 ? rest : undefined } };
    });
  return [
    ...each("stateNames", (name) => `State ${name}`),
    ...each("anyTag", (tag) => `Any of the tags: ${tag}`),
    ...one("untagged", search.untagged && "Without tags"),
    ...TEXTS.flatMap(([key, label]) => one(key, search[key] && `${label}: ${search[key]}`)),
    ...one("undeployed", search.undeployed && "Without a deployment"),
    ...one("madeBy", search.madeBy && `Made by ${MADE_BY[search.madeBy]}`),
    ...one("level", search.level && LEVELS[search.level]),
    ...TIMES.flatMap(([key, label]) => one(key, search[key] && `${label} ${exactText(Date.parse(search[key]))}`)),
  ];
}
