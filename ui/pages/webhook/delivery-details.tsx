import type { WebhookDelivery } from "#protocol/webhooks";
import { JsonView } from "../../elements/json-view.tsx";
import { exactText } from "../../elements/spans.ts";

/** All that is kept of a delivery. */
export function DeliveryDetails({ delivery }: { readonly delivery: WebhookDelivery }) {
  const { id, created, reason, is_verified, resent_from, headers, query, body } = delivery;
  return (
    <div className="stack">
      <dl className="details">
        <dt>Came</dt>
        <dd>{exactText(Date.parse(created))}</dd>
        <dt>Id</dt>
        <dd className="mono">{id}</dd>
        {resent_from && (
          <>
            <dt>Repeats</dt>
            <dd className="mono">{resent_from}</dd>
          </>
        )}
        <dt>Sender</dt>
        <dd>{is_verified ? "proved itself" : "did not prove itself"}</dd>
        {reason && (
          <>
            <dt>Why</dt>
            <dd>{reason}</dd>
          </>
        )}
      </dl>
      <JsonView title="Headers" value={headers} none="None were kept." />
      {Object.keys(query).length > 0 && <JsonView title="Query" value={query} none="" />}
      {body === null ? (
        <p className="quiet">Its body was not kept.</p>
      ) : (
        <JsonView title="Body" value={parsed(body)} none="" />
      )}
    </div>
  );
}

/** JSON is shown as such; anything else as the text that it is. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
