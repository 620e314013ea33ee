import * as api from "#protocol/collections";
import { notFound } from "#protocol/errors";
import { workerMetadata } from "../collections/worker-types.ts";
import { type App, serve } from "../serve.ts";

const WORKER_METADATA = "aggregate-worker-metadata";

export function collectionRoutes(app: App): void {
  serve(
    app,
    api.readCollectionView,
  )(({ params }) => {
    if (params.view === WORKER_METADATA) return workerMetadata();
    throw notFound("View", `"${params.view}"`, `There is only "${WORKER_METADATA}".`);
  });
}
