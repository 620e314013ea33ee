/** Keeps the place of what is being read. */
export function Skeleton({ height, width = "100%" }: { readonly height: string; readonly width?: string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

/** A page of which nothing is known yet but its shape. */
export function PageSkeleton() {
  return (
    <div className="page stack" aria-busy="true">
      <span className="sr-only" role="status">
        Loading
      </span>
      <Skeleton height="2.25rem" width="16rem" />
      <Skeleton height="8rem" />
      <Skeleton height="24rem" />
    </div>
  );
}
