/** Artifacts on their way to the control plane. */
import type { ApiClient } from "../../client/api-client.ts";
import { type ArtifactCreate, createArtifact, updateArtifact } from "../../protocol/artifacts.ts";

/** In the middle of a run the control plane is waited for. */
const PATIENCE = { patienceMs: 600_000 } as const;

/** Stores an artifact, and answers what changes its data. */
export async function storeArtifact(
  client: ApiClient,
  artifact: ArtifactCreate,
): Promise<(data: unknown) => Promise<void>> {
  const { id } = await client.call(createArtifact, { body: artifact }, PATIENCE);
  return async (data) => {
    await client.call(updateArtifact, { params: { id }, body: { data } }, PATIENCE);
  };
}
