import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { JsonObject } from "#protocol/flow-runs";
import { LIMITS } from "#protocol/limits";
import { createWebhook, updateWebhook, type Webhook } from "#protocol/webhooks";
import { api } from "../../api/client.ts";
import { DeploymentField, deploymentNamed } from "../../components/deployment-field.tsx";
import { FormModal } from "../../components/form-modal.tsx";
import { JsonField } from "../../components/schema-form/json-field.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import { HmacFields } from "./hmac-fields.tsx";
import { SecretField } from "./secret-field.tsx";
import { HMAC, type HmacFields as Hmac, SECRETS, VERIFICATIONS, verificationOf } from "./verification.ts";

export interface WebhookFormProps {
  /** Null makes a new one. */
  readonly webhook: Webhook | null;
  readonly onClose: () => void;
}

/** Says who may start which runs, and how their parameters are made of what is sent. */
export function WebhookForm({ webhook, onClose }: WebhookFormProps) {
  const navigate = useNavigate();
  const [deployment, setDeployment] = useState("");
  const [slug, setSlug] = useState("");
  const [type, setType] = useState(webhook?.verification.type ?? "github");
  const [hmac, setHmac] = useState<Hmac>(webhook?.verification.type === "hmac" ? webhook.verification : HMAC);
  const [secret, setSecret] = useState("");
  const [parameters, setParameters] = useState<unknown>(webhook?.parameters ?? {});
  const [key, setKey] = useState(webhook?.idempotency_key ?? "");
  const [tags, setTags] = useState(webhook?.tags.join(", ") ?? "");
  const [windowSeconds, setWindowSeconds] = useState(webhook?.replay_window_seconds.toString() ?? "300");
  const [bodyBytes, setBodyBytes] = useState(webhook?.max_body_bytes.toString() ?? "262144");
  const save = async (): Promise<void> => {
    const body = {
      verification: verificationOf(type, hmac),
      parameters: (parameters ?? {}) as JsonObject,
      idempotency_key: key.trim() || null,
      tags: tags.split(",").flatMap((tag) => tag.trim() || []),
      replay_window_seconds: Number(windowSeconds),
      max_body_bytes: Number(bodyBytes),
      ...(secret !== "" && { secrets: [secret] }),
    };
    if (webhook) {
      await api.call(updateWebhook, { params: { slug: webhook.slug }, body });
      return;
    }
    const made = await api.call(createWebhook, {
      body: { ...body, deployment_id: await deploymentNamed(deployment), slug: slug.trim() || null },
    });
    await navigate({ to: "/webhooks/$slug", params: { slug: made.slug } });
  };
  return (
    <FormModal
      title={webhook ? `Change ${webhook.slug}` : "New webhook"}
      submit="Save"
      onSubmit={save}
      onClose={onClose}
    >
      {webhook === null && (
        <>
          <DeploymentField label="Starts runs of" value={deployment} onChange={setDeployment} />
          <TextField
            label="End of its address"
            pattern="[a-z0-9][a-z0-9_\-]*"
            hint="Lower-case letters, digits, dashes and underscores. Empty: one that nobody guesses."
            value={slug}
            onChange={setSlug}
          />
        </>
      )}
      <SelectField label="Sender" options={VERIFICATIONS} value={type} onChange={setType} />
      {type === "hmac" && <HmacFields value={hmac} onChange={setHmac} />}
      {type === "none" ? (
        <p className="notice">Whoever knows the address may start runs.</p>
      ) : (
        <SecretField
          hint={SECRETS[type]}
          hasOne={webhook !== null && webhook.secrets > 0}
          value={secret}
          onChange={setSecret}
        />
      )}
      <div className="field">
        <span>Parameters</span>
        <JsonField aria-label="Parameters" rows={4} value={parameters} onChange={setParameters} />
        <span className="quiet small">
          <code>{"{{ body.order.id }}"}</code>, <code>{"{{ headers.x-shop }}"}</code> and{" "}
          <code>{"{{ query.day }}"}</code> stand for what was sent.
        </span>
      </div>
      <TextField
        label="What tells deliveries apart"
        placeholder="Left to the sender's way"
        hint="For example {{ body.id }}: a second delivery with the same value starts no second run."
        value={key}
        onChange={setKey}
      />
      <TextField label="Tags of its runs" placeholder="nightly, shop" value={tags} onChange={setTags} />
      <TextField
        label="Seconds for which a signature counts"
        type="number"
        min={1}
        max={86_400}
        required
        value={windowSeconds}
        onChange={setWindowSeconds}
      />
      <TextField
        label="Bytes of a body at most"
        hint="What is larger is refused."
        type="number"
        min={1}
        max={LIMITS.webhookBodyBytes}
        required
        value={bodyBytes}
        onChange={setBodyBytes}
      />
    </FormModal>
  );
}
