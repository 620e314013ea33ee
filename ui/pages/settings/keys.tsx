import { useQuery } from "@tanstack/react-query";
import { filterKeys, revokeKey } from "#protocol/access";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { DeleteButton } from "../../components/delete-button.tsx";
import { NEW, useOpened } from "../../components/opened.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { When } from "../../elements/when.tsx";
import { KeyForm } from "./key-form.tsx";

/** API keys: made here, shown once, revoked. */
export function Keys() {
  const { data, error } = useQuery(read(filterKeys, { body: {} }));
  const [open, setOpen] = useOpened();
  return (
    <section className="panel">
      <div className="row spread">
        <h2>API keys</h2>
        <Button size="small" onClick={() => setOpen(NEW)}>
          New key
        </Button>
      </div>
      {error && !data && <ErrorNote error={error} />}
      {!data && !error && <Skeleton height="6rem" />}
      {data?.length === 0 && <p className="quiet">No key was made yet.</p>}
      <ul className="lines">
        {data?.map(({ id, name, role, last_used, expires }) => (
          <li key={id}>
            <span>
              {name} <span className="tag">{role}</span>
            </span>
            <span className="row quiet">
              {last_used === null ? (
                "never used"
              ) : (
                <span>
                  used <When at={last_used} />
                </span>
              )}
              {expires && (
                <span>
                  expires <When at={expires} />
                </span>
              )}
              <DeleteButton
                text="Revoke"
                what={`the key ${name}`}
                consequence="Within half a minute nobody can use it."
                onDelete={() => api.call(revokeKey, { params: { id } })}
              />
            </span>
          </li>
        ))}
      </ul>
      {open === NEW && <KeyForm onClose={() => setOpen(null)} />}
    </section>
  );
}
