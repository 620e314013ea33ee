import { useState } from "react";
import { Button } from "../../elements/button.tsx";
import { CopyButton } from "../../elements/copy-button.tsx";
import { newSecret } from "./verification.ts";

export interface SecretFieldProps {
  readonly value: string;
  readonly hint: string;
  /** There is one already, which an empty field leaves as it is. */
  readonly hasOne: boolean;
  readonly onChange: (value: string) => void;
}

/** A secret that is written and never shown again; one that is made up here is shown until the form closes. */
export function SecretField({ value, hint, hasOne, onChange }: SecretFieldProps) {
  const [isMadeUp, setMadeUp] = useState(false);
  const makeUp = (): void => {
    onChange(newSecret());
    setMadeUp(true);
  };
  return (
    <div className="field">
      <span id="webhook-secret">Secret</span>
      <span className="row" style={{ flexWrap: "nowrap" }}>
        <input
          className="input"
          aria-labelledby="webhook-secret"
          aria-describedby="webhook-secret-hint"
          type={isMadeUp ? "text" : "password"}
          autoComplete="off"
          required={!hasOne}
          placeholder={hasOne ? "It stays as it is" : ""}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
        {isMadeUp ? <CopyButton text={value} /> : <Button onClick={makeUp}>Make one up</Button>}
      </span>
      <span id="webhook-secret-hint" className="quiet small">
        {hint} It is encrypted, and not shown again.
      </span>
    </div>
  );
}
