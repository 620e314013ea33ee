import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { readDeployment } from "#protocol/deployments";
import { deleteWebhook, readWebhook, updateWebhook, type Webhook } from "#protocol/webhooks";
import { api } from "../../api/client.ts";
import { LIVE_MS, read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { ConfirmButton } from "../../components/confirm-button.tsx";
import { useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { Commands } from "../../elements/commands.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { JsonView } from "../../elements/json-view.tsx";
import { useTitle } from "../../elements/title.ts";
import { VERIFICATIONS } from "../webhooks/verification.ts";
import { WebhookForm } from "../webhooks/webhook-form.tsx";
import { Deliveries } from "./deliveries.tsx";

/** The value of `open` that stands for the webhook's form. */
const EDIT = "webhook";

/** Where a webhook's deliveries go, what they do there, and what became of the last ones. */
export function WebhookPage() {
  const { slug } = useParams({ from: "/app/webhooks/$slug" });
  const { data: webhook } = useSuspenseQuery({
    ...read(readWebhook, { params: { slug } }),
    refetchInterval: LIVE_MS * 3,
  });
  const { data: deployment, error } = useQuery(read(readDeployment, { params: { id: webhook.deployment_id } }));
  const [open, setOpen] = useOpened();
  const { verification, secrets, idempotency_key, tags, replay_window_seconds, max_body_bytes } = webhook;
  useTitle(slug);
  return (
    <main className="page stack">
      <header className="row spread">
        <div>
          <p className="crumb quiet">
            <Link to="/webhooks">Webhooks</Link>
          </p>
          <h1>{slug}</h1>
        </div>
        <Actions webhook={webhook} onEdit={() => setOpen(EDIT)} />
      </header>
      {!webhook.active && <p className="notice">It is off: deliveries are refused with 409, and start nothing.</p>}
      <div className="columns">
        <section className="panel stack">
          <h2>Address</h2>
          <Commands lines={[`${location.origin}${webhook.path}`]} />
          <dl className="details">
            <dt>Starts runs of</dt>
            <dd>
              {error ? (
                <span className="field-error">a deployment that is gone</span>
              ) : (
                <Link to="/deployments/$deploymentId" params={{ deploymentId: webhook.deployment_id }}>
                  {deployment?.name ?? webhook.deployment_id}
                </Link>
              )}
            </dd>
            <dt>Sender</dt>
            <dd>
              {VERIFICATIONS[verification.type]}
              {verification.type === "hmac" && (
                <>
                  , in <code>{verification.header}</code>
                </>
              )}
            </dd>
            <dt>Secrets</dt>
            <dd>{secrets === 0 ? "none" : `${secrets}, not shown`}</dd>
            <dt>Told apart by</dt>
            <dd>{idempotency_key === null ? "the sender's way" : <code>{idempotency_key}</code>}</dd>
            <dt>Tags</dt>
            <dd>{tags.join(", ") || "–"}</dd>
            <dt>Signatures count</dt>
            <dd>{replay_window_seconds} s</dd>
            <dt>Body, at most</dt>
            <dd>{max_body_bytes.toLocaleString("en")} bytes</dd>
          </dl>
        </section>
        <section className="panel">
          <JsonView title="Parameters" value={webhook.parameters} none="None: those of the deployment hold." />
        </section>
      </div>
      <Deliveries slug={slug} />
      {open === EDIT && <WebhookForm webhook={webhook} onClose={() => setOpen(null)} />}
    </main>
  );
}

function Actions({ webhook, onEdit }: { readonly webhook: Webhook; readonly onEdit: () => void }) {
  const navigate = useNavigate();
  const refusal = useRoleRefusal("operator");
  const params = { slug: webhook.slug };
  const toggle = useMutation({
    mutationFn: () => api.call(updateWebhook, { params, body: { active: !webhook.active } }),
  });
  const remove = useMutation({
    mutationFn: () => api.call(deleteWebhook, { params }),
    onSuccess: () => navigate({ to: "/webhooks" }),
  });
  const error = toggle.error ?? remove.error;
  return (
    <div>
      <div className="row" role="toolbar" aria-label="Actions">
        <Button refusal={refusal} busy={toggle.isPending} onClick={() => toggle.mutate()}>
          {webhook.active ? "Turn off" : "Turn on"}
        </Button>
        <Button refusal={refusal} onClick={onEdit}>
          Edit …
        </Button>
        <ConfirmButton
          text="Delete"
          question={`Delete the webhook ${webhook.slug}?`}
          consequence="Its address answers 404 from then on, and its deliveries are forgotten. Runs stay."
          kind="danger"
          refusal={refusal}
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
        />
      </div>
      {error && <ErrorNote error={error} />}
    </div>
  );
}
