/** The dialog over a page is part of its address: it can be linked to, and back closes it. */
import { useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useLayers } from "./layers.ts";

/** The value of `open` that stands for making a new thing. */
export const NEW = "new";

/** What is open, if anything, and how something else is opened; null closes it. */
export function useOpened(): readonly [string | undefined, (open: string | null) => void] {
  const { open } = useSearch({ strict: false });
  const { lay, lift } = useLayers();
  const setOpen = useCallback(
    (next: string | null) => (next === null ? lift("open") : lay("open", (before) => ({ ...before, open: next }))),
    [lay, lift],
  );
  return [open, setOpen];
}
