import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { signOut } from "#protocol/access";
import { api } from "../api/client.ts";
import { useSession } from "../api/session.ts";
import { Button } from "../elements/button.tsx";
import { Segments } from "../elements/segments.tsx";
import { applyTheme, currentTheme, type Theme } from "../elements/theme.ts";

const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", "Auto"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** Who is signed in, and how the pages look. */
export function SessionFoot() {
  const session = useSession();
  const [theme, setTheme] = useState(currentTheme);
  const choose = (next: Theme): void => {
    applyTheme(next);
    setTheme(next);
  };
  return (
    <div className="stack small" style={{ gap: "var(--gap-2)", marginTop: "var(--gap-2)" }}>
      <Segments label="Colours" options={THEMES} value={theme} onChange={choose} />
      {session && !session.open && (
        <div className="row spread">
          <span className="quiet cut">
            {session.key_name ?? "root key"} ({session.role})
          </span>
          <SignOut />
        </div>
      )}
    </div>
  );
}

function SignOut() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const out = useMutation({
    mutationFn: () => api.call(signOut),
    onSuccess: async () => {
      queryClient.clear();
      await navigate({ to: "/sign-in", search: {} });
    },
  });
  return (
    <Button size="small" kind="plain" busy={out.isPending} onClick={() => out.mutate()}>
      Sign out
    </Button>
  );
}
