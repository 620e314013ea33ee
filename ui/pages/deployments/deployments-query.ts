import { z } from "zod";
import { DeploymentSort, filterDeployments } from "#protocol/deployments";
import { LIVE_MS } from "../../api/read.ts";
import { readPages } from "../../api/read-pages.ts";
import { word } from "../../components/search-values.ts";

export const DeploymentsSearch = z.object({
  name: word,
  tags: z.array(z.string()).optional().catch(undefined),
  sort: DeploymentSort.optional().catch(undefined),
});
export type DeploymentsSearch = z.infer<typeof DeploymentsSearch>;

export function deploymentsQuery({ name, tags, sort }: DeploymentsSearch) {
  return readPages(
    filterDeployments,
    {
      body: {
        deployments: {
          ...(name && { flow_or_deployment_name: { like_: name } }),
          ...(tags?.length && { tags: { all_: tags } }),
        },
        sort: sort ?? "NAME_ASC",
      },
    },
    LIVE_MS * 2,
  );
}
