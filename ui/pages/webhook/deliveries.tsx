import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import { LIMITS } from "#protocol/limits";
import { filterWebhookDeliveries, resendWebhookDelivery, type WebhookDelivery } from "#protocol/webhooks";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { StateGlyph } from "../../elements/state-glyph.tsx";
import { When } from "../../elements/when.tsx";
import { DeliveryDetails } from "./delivery-details.tsx";

const GLYPHS = { accepted: "COMPLETED", duplicate: "CANCELLED", answered: "SCHEDULED", refused: "FAILED" } as const;

/** What was sent last, and what became of it. */
export function Deliveries({ slug }: { readonly slug: string }) {
  const refusal = useRoleRefusal("operator");
  const { data, error, refetch } = useQuery({
    ...read(filterWebhookDeliveries, { params: { slug }, body: { limit: LIMITS.pageRows } }),
    refetchInterval: LIVE_MS,
    enabled: refusal === null,
  });
  const [open, setOpen] = useOpened();
  const resend = useMutation({
    mutationFn: (id: string) => api.call(resendWebhookDelivery, { params: { slug, id } }),
  });
  return (
    <section aria-labelledby="deliveries">
      <h2>
        <span id="deliveries">Deliveries</span>{" "}
        <span className="quiet small">
          the last {LIMITS.verifiedDeliveries} of senders that proved themselves, and {LIMITS.unverifiedDeliveries}{" "}
          others
        </span>
      </h2>
      {refusal !== null && <p className="panel empty">What was sent may hold secrets. {refusal}</p>}
      {error && !data && (
        <ErrorNote title="The deliveries could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {resend.error && <ErrorNote title="It could not be sent again" error={resend.error} />}
      {resend.data && (
        <p className="notice" role="status">
          It started{" "}
          <Link to="/runs/$runId" params={{ runId: resend.data.flow_run_id }}>
            another run
          </Link>
          .
        </p>
      )}
      {!data && !error && refusal === null && <Skeleton height="12rem" />}
      {data?.length === 0 && (
        <p className="panel empty">Nothing was sent yet. The sender needs the address above, and the secret.</p>
      )}
      {data && data.length > 0 && (
        <div className="table-scroll">
          <table className="fixed-table" style={{ minWidth: "46rem" }}>
            <thead>
              <tr>
                <th scope="col" style={{ width: "10rem" }}>
                  Delivery
                </th>
                <th scope="col" style={{ width: "5rem" }}>
                  Answer
                </th>
                <th scope="col" style={{ width: "8rem" }}>
                  Came
                </th>
                <th scope="col">What became of it</th>
                <th scope="col" style={{ width: "8rem" }}>
                  <span className="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((delivery) => (
                <Fragment key={delivery.id}>
                  <DeliveryRow
                    delivery={delivery}
                    isOpen={open === delivery.id}
                    onToggle={() => setOpen(open === delivery.id ? null : delivery.id)}
                    isBusy={resend.isPending && resend.variables === delivery.id}
                    onResend={() => resend.mutate(delivery.id)}
                  />
                  {open === delivery.id && (
                    <tr>
                      <td colSpan={5} className="delivery-details">
                        <DeliveryDetails delivery={delivery} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface DeliveryRowProps {
  readonly delivery: WebhookDelivery;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly isBusy: boolean;
  readonly onResend: () => void;
}

function DeliveryRow({ delivery, isOpen, onToggle, isBusy, onResend }: DeliveryRowProps) {
  const { verdict, status, created, reason, flow_run_id, is_verified, resent_from } = delivery;
  return (
    <tr>
      <td>
        <button type="button" className="link state" aria-expanded={isOpen} onClick={onToggle} data-row-link>
          <StateGlyph state={GLYPHS[verdict]} />
          {verdict}
        </button>
        {resent_from && <span className="quiet"> again</span>}
      </td>
      <td>{status}</td>
      <td>
        <When at={created} />
      </td>
      <td title={reason ?? undefined}>
        {flow_run_id ? (
          <Link to="/runs/$runId" params={{ runId: flow_run_id }}>
            {verdict === "duplicate" ? "an earlier run" : "its run"}
          </Link>
        ) : (
          <span className="quiet">{reason}</span>
        )}
      </td>
      <td className="number">
        <Button
          size="small"
          refusal={is_verified ? null : "Its sender did not prove itself, so its body was not kept."}
          busy={isBusy}
          onClick={onResend}
        >
          Send again
        </Button>
      </td>
    </tr>
  );
}
