/** The dialog over a page is part of its address: it can be linked to, and back closes it. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

/** The value of `open` that stands for making a new thing. */
export const NEW = "new";

/** What is open, if anything, and how something else is opened; null closes it. */
export function useOpened(): readonly [string | undefined, (open: string | null) => void] {
  const { open } = useSearch({ strict: false });
  const navigate = useNavigate();
  const setOpen = useCallback(
    (next: string | null) => {
      void navigate({
        to: ".",
        search: (before) => ({ ...before, open: next ?? undefined }),
        // Back must not open again what was closed.
        replace: next === null,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [open, setOpen];
}
