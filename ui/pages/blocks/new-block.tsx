import { useMutation, useQuery } from "@tanstack/react-query";
import { filterBlockSchemas } from "#protocol/block-schemas";
import { installSystemBlockTypes } from "#protocol/block-types";
import { api } from "../../api/client.ts";
import { read } from "../../api/read.ts";
import { Button } from "../../elements/button.tsx";
import { ErrorNote } from "../../elements/error-note.tsx";
import { Modal } from "../../elements/modal.tsx";
import { Skeleton } from "../../elements/skeleton.tsx";
import { BlockForm } from "./block-form.tsx";
import { blockTypesQuery } from "./blocks-query.ts";

export interface NewBlockProps {
  /** Of the type of the new block; null while there is none. */
  readonly slug: string | null;
  readonly onChoose: (slug: string) => void;
  readonly onClose: () => void;
}

/** First the type of the new block, then its form. */
export function NewBlock({ slug, onChoose, onClose }: NewBlockProps) {
  const { data: types, error } = useQuery(blockTypesQuery);
  const type = types?.find((one) => one.slug === slug);
  const install = useMutation({ mutationFn: () => api.call(installSystemBlockTypes) });
  const { data: schemas } = useQuery({
    ...read(filterBlockSchemas, {
      body: { block_schemas: { block_type_id: { any_: type ? [type.id] : [] } }, limit: 1 },
    }),
    enabled: type !== undefined,
  });
  const schema = schemas?.[0];
  if (type && schema) return <BlockForm schema={schema} document={null} onClose={onClose} />;
  return (
    <Modal open onClose={onClose} title="What kind of block?">
      {(error ?? install.error) && <ErrorNote error={error ?? install.error} />}
      {!types && !error && <Skeleton height="12rem" />}
      {types?.length === 0 && (
        <p className="row">
          No types are installed.{" "}
          <Button busy={install.isPending} onClick={() => install.mutate()}>
            Install those of the system
          </Button>
        </p>
      )}
      {type && schemas?.length === 0 && <p className="notice">{type.name} has no schema, so it has no form.</p>}
      <ul className="lines">
        {types?.map((one) => (
          <li key={one.id}>
            <span className="cut">
              <strong>{one.name}</strong> <span className="quiet">{one.description}</span>
            </span>
            <Button size="small" aria-label={`New ${one.name}`} onClick={() => onChoose(one.slug)}>
              Choose
            </Button>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
