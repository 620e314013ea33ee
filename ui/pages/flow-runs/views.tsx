import * as Menu from "@radix-ui/react-dropdown-menu";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { deleteSavedSearch, filterSavedSearches, putSavedSearch, type SavedSearch } from "#protocol/saved-searches";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { useRoleRefusal } from "../../api/session.ts";
import { useAsked } from "../../components/asked.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { RunsSearch } from "./runs-search.ts";

export interface ViewsProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** Filters under a name, kept on the server. */
export function Views({ search, onChange }: ViewsProps) {
  const { data: views, error, refetch } = useQuery(read(filterSavedSearches, { body: {} }));
  const naming = useAsked();
  const remove = useMutation({ mutationFn: (id: string) => api.call(deleteSavedSearch, { params: { id } }) });
  const refusal = useRoleRefusal("operator");
  return (
    <>
      <Menu.Root onOpenChange={remove.reset}>
        <Menu.Trigger asChild>
          <button type="button" className="button">
            Views
          </button>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className="menu" align="end" sideOffset={4}>
            {error && !views && (
              <ErrorNote title="The views could not be read" error={error} onRetry={() => void refetch()} />
            )}
            {views?.map((view) => (
              <Menu.Item key={view.id} className="menu-item" onSelect={() => onChange(searchOf(view))}>
                {view.name}
              </Menu.Item>
            ))}
            {views?.length === 0 && <p className="menu-item quiet">No view is saved yet.</p>}
            <Menu.Separator />
            <Menu.Item className="menu-item" disabled={refusal !== null} onSelect={naming.ask}>
              Save this view …
            </Menu.Item>
            {views?.map((view) => (
              <Menu.Item
                key={view.id}
                className="menu-item quiet"
                disabled={refusal !== null}
                onSelect={(event) => {
                  // The menu stays, to show what becomes of it.
                  event.preventDefault();
                  remove.mutate(view.id);
                }}
              >
                Delete “{view.name}”
              </Menu.Item>
            ))}
            {remove.error && <ErrorNote title="The view was not deleted" error={remove.error} />}
            {refusal && <Menu.Label className="menu-item quiet">{refusal}</Menu.Label>}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
      <Modal open={naming.isAsked} onClose={() => void naming.close()} title="Save this view">
        <NameOfView search={search} onDone={() => void naming.close()} />
      </Modal>
    </>
  );
}

function NameOfView({ search, onDone }: { readonly search: RunsSearch; readonly onDone: () => void }) {
  const [name, setName] = useState("");
  const save = useMutation({
    mutationFn: () => api.call(putSavedSearch, { body: { name: name.trim(), filters: [filterOf(search)] } }),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <label className="field">
        <span>Name</span>
        <input className="input" required value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      {save.error && <ErrorNote error={save.error} />}
      <div className="dialog-actions">
        <Button onClick={onDone}>Leave it</Button>
        <Button type="submit" kind="primary" busy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

/** A view is the address's search as it is. */
const PROPERTY = "ui_search";

function filterOf(search: RunsSearch) {
  return { object: "flow_run", property: PROPERTY, type: "object", operation: "equals", value: search };
}

function searchOf({ filters }: SavedSearch): RunsSearch {
  const found = filters.find(({ property }) => property === PROPERTY);
  return RunsSearch.catch({}).parse(found?.value ?? {});
}
