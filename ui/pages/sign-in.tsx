import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { signIn } from "#protocol/access";
import { api } from "../api/client.ts";
import { sessionQuery } from "../api/session.ts";
import { Button } from "../elements/button.tsx";
import { ErrorNote } from "../elements/error-note.tsx";
import { useTitle } from "../elements/title.ts";

/** Asks for a key. The browser keeps it in a cookie that no script reads. */
export function SignInPage() {
  useTitle("Sign in");
  const router = useRouter();
  const queryClient = useQueryClient();
  const { from } = useSearch({ from: "/sign-in" });
  const [key, setKey] = useState("");
  const enter = useMutation({
    mutationFn: () => api.call(signIn, { body: { key: key.trim() } }),
    onSuccess: (session) => {
      queryClient.setQueryData(sessionQuery.queryKey, session);
      router.history.push(from ?? "/");
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter.mutate();
  };
  return (
    <main className="sign-in">
      <form className="panel stack" onSubmit={submit}>
        <h1>Sign in to Sluice</h1>
        <label className="field">
          <span>API key</span>
          <input
            className="input mono"
            type="password"
            autoComplete="current-password"
            required
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        <p className="quiet small">
          An admin makes keys with <code>sluice key create NAME --role operator</code>; the root key works, too.
        </p>
        {enter.error && <ErrorNote error={enter.error} />}
        <Button type="submit" kind="primary" busy={enter.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
