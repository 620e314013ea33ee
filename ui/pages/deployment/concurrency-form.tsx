import { useState } from "react";
import { type Deployment, updateDeployment } from "#protocol/deployments";
import { type FlowControl, writeFlowControl } from "#protocol/flow-control";
import { api } from "../../api/client.ts";
import { FormModal } from "../../components/form-modal.tsx";
import { SelectField } from "../../components/select-field.tsx";
import { TextField } from "../../components/text-field.tsx";
import { COLLISIONS, LOSSES, STRATEGIES } from "./concurrency-words.ts";

export interface ConcurrencyFormProps {
  readonly deployment: Deployment;
  readonly control: FlowControl;
  readonly onClose: () => void;
}

const KEY_HINT = "Such as parameters.customer or tags.0. Empty: all runs have the same key.";
/** Upstream's own; a claimed run holds its slot so long until it starts. */
const GRACE_SECONDS = 300;

/** Everything that bounds a deployment's runs. An empty number is no bound. */
export function ConcurrencyForm({ deployment, control, onClose }: ConcurrencyFormProps) {
  const { global_concurrency_limit, concurrency_options } = deployment;
  const { concurrency, debounce, throttle } = control;
  const [limit, setLimit] = useState(text(global_concurrency_limit?.limit));
  const [collision, setCollision] = useState(concurrency_options?.collision_strategy ?? "ENQUEUE");
  const [grace, setGrace] = useState(text(concurrency_options?.grace_period_seconds));
  const [keyLimit, setKeyLimit] = useState(text(concurrency?.limit));
  const [key, setKey] = useState(concurrency?.key ?? "");
  const [strategy, setStrategy] = useState(concurrency?.strategy ?? "queue");
  const [debounceSeconds, setDebounceSeconds] = useState(text(debounce?.seconds));
  const [debounceKey, setDebounceKey] = useState(debounce?.key ?? "");
  const [throttleLimit, setThrottleLimit] = useState(text(throttle?.limit));
  const [throttleSeconds, setThrottleSeconds] = useState(text(throttle?.seconds));
  const [throttleKey, setThrottleKey] = useState(throttle?.key ?? "");
  const [timeToLive, setTimeToLive] = useState(text(control.time_to_live_seconds));
  const [onLost, setOnLost] = useState(control.on_lost ?? "crash");
  const save = async (): Promise<void> => {
    const params = { id: deployment.id };
    await api.call(writeFlowControl, {
      params,
      // What the form does not know stays as it is: the request takes the place of everything that was said.
      body: {
        ...control,
        concurrency: keyLimit === "" ? null : { key: key || null, limit: Number(keyLimit), strategy },
        debounce: debounceSeconds === "" ? null : { key: debounceKey || null, seconds: Number(debounceSeconds) },
        throttle:
          throttleLimit === ""
            ? null
            : { key: throttleKey || null, limit: Number(throttleLimit), seconds: Number(throttleSeconds) },
        on_lost: onLost === (control.on_lost ?? "crash") ? control.on_lost : onLost,
        time_to_live_seconds: number(timeToLive),
      },
    });
    const options = { collision_strategy: collision, grace_period_seconds: number(grace) };
    const isSame =
      number(limit) === (global_concurrency_limit?.limit ?? null) &&
      collision === (concurrency_options?.collision_strategy ?? "ENQUEUE") &&
      number(grace) === (concurrency_options?.grace_period_seconds ?? null);
    if (isSame) return;
    await api.call(updateDeployment, {
      params,
      body: { concurrency_limit: number(limit), ...(limit !== "" && { concurrency_options: options }) },
    });
  };
  return (
    <FormModal title={`Concurrency of ${deployment.name}`} submit="Save" onSubmit={save} onClose={onClose}>
      <fieldset className="form-group stack">
        <legend>All runs together</legend>
        <TextField
          label="Runs at once"
          type="number"
          min={1}
          placeholder="Any number"
          value={limit}
          onChange={setLimit}
        />
        {limit !== "" && (
          <>
            <SelectField label="One more" options={COLLISIONS} value={collision} onChange={setCollision} />
            <TextField
              label="Seconds that a claimed run may take to start"
              type="number"
              min={60}
              max={86_400}
              placeholder={String(GRACE_SECONDS)}
              value={grace}
              onChange={setGrace}
            />
          </>
        )}
      </fieldset>
      <fieldset className="form-group stack">
        <legend>Of each key</legend>
        <TextField
          label="Runs of a key at once"
          type="number"
          min={1}
          placeholder="Any number"
          value={keyLimit}
          onChange={setKeyLimit}
        />
        {keyLimit !== "" && (
          <>
            <TextField label="Key" hint={KEY_HINT} value={key} onChange={setKey} />
            <SelectField label="One more of a key" options={STRATEGIES} value={strategy} onChange={setStrategy} />
          </>
        )}
      </fieldset>
      <fieldset className="form-group stack">
        <legend>Triggers that come too fast</legend>
        <TextField
          label="Debounce: seconds of quiet before the last one runs"
          type="number"
          min={0}
          step="any"
          placeholder="Each one runs"
          value={debounceSeconds}
          onChange={setDebounceSeconds}
        />
        {debounceSeconds !== "" && (
          <TextField label="Key of the debounce" hint={KEY_HINT} value={debounceKey} onChange={setDebounceKey} />
        )}
        <TextField
          label="Throttle: runs that may begin"
          type="number"
          min={1}
          placeholder="Any number"
          value={throttleLimit}
          onChange={setThrottleLimit}
        />
        {throttleLimit !== "" && (
          <>
            <TextField
              label="Within seconds"
              type="number"
              min={0}
              step="any"
              required
              value={throttleSeconds}
              onChange={setThrottleSeconds}
            />
            <TextField label="Key of the throttle" hint={KEY_HINT} value={throttleKey} onChange={setThrottleKey} />
          </>
        )}
        <TextField
          label="Seconds after which a run that has not started is given up"
          type="number"
          min={0}
          step="any"
          placeholder="It waits for ever"
          value={timeToLive}
          onChange={setTimeToLive}
        />
      </fieldset>
      <fieldset className="form-group stack">
        <legend>Processes that are lost</legend>
        <SelectField
          label="A run whose process crashes or is not heard of any more"
          options={LOSSES}
          value={onLost}
          onChange={setOnLost}
        />
      </fieldset>
    </FormModal>
  );
}

function text(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}

function number(text: string): number | null {
  return text === "" ? null : Number(text);
}
