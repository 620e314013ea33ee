import { z } from "zod";
import type { State } from "#protocol/states";
import { CopyButton } from "../elements/copy-button.tsx";
import { JsonView } from "../elements/json-view.tsx";
import { When } from "../elements/when.tsx";

/** What a state says of a result that lies in a storage of the flow's. */
const Reference = z.object({
  storage_key: z.string(),
  expiration: z.string().nullish(),
  serializer: z.object({ type: z.string() }).nullish(),
  storage_block_id: z.string().nullish(),
});

/** What came out: the value, where the state holds it, or where it lies. Nothing before there is a result. */
export function ResultView({ state }: { readonly state: Pick<State, "type" | "data"> | null }) {
  const data = state?.data ?? null;
  if (data === null) {
    if (state?.type !== "COMPLETED") return null;
    return (
      <section>
        <h3>Result</h3>
        <p className="quiet">It was not stored, or there is none.</p>
      </section>
    );
  }
  const reference = Reference.safeParse(data);
  if (!reference.success) return <JsonView title="Result" value={data} none="" />;
  const { storage_key: key, expiration, serializer, storage_block_id: block } = reference.data;
  return (
    <section>
      <h3>Result</h3>
      <p className="quiet">The value lies in the storage of the flow&apos;s results; this server knows where.</p>
      <dl className="details">
        <dt>Key</dt>
        <dd className="row">
          <code>{key}</code> <CopyButton text={key} />
        </dd>
        <dt>Storage</dt>
        <dd>{block ? <code>block {block}</code> : "that of the process that ran it"}</dd>
        <dt>Written as</dt>
        <dd>{serializer?.type ?? "–"}</dd>
        <dt>Expires</dt>
        <dd>
          <When at={expiration ?? null} fallback="never" />
        </dd>
      </dl>
    </section>
  );
}
