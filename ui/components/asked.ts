/**
 * A question over a page, and whatever else nobody links to: an entry of the history without an address of its own. Back
 * closes it and stays on the page; a reload or a link never asks it.
 */
import { useNavigate, useRouter, useRouterState } from "@tanstack/react-router";
import { useCallback, useId } from "react";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** Whose question is asked. */
    asked?: string;
  }
}

export interface Asked {
  readonly isAsked: boolean;
  readonly ask: () => void;
  /** Closes it. What goes elsewhere from it waits for this, as the history is only then where it was. */
  readonly close: () => Promise<void>;
}

export function useAsked(): Asked {
  // After a reload, another one may have the same id.
  const id = `${performance.timeOrigin} ${useId()}`;
  const isAsked = useRouterState({ select: ({ location }) => location.state.asked === id });
  const navigate = useNavigate();
  const router = useRouter();
  const ask = useCallback((): void => {
    if (router.history.location.state.asked === id) return;
    void navigate({
      to: ".",
      search: true,
      hash: true,
      state: (before) => ({ ...before, asked: id }),
      resetScroll: false,
    });
  }, [id, navigate, router]);
  const close = useCallback((): Promise<void> => {
    if (router.history.location.state.asked !== id) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = router.history.subscribe(() => {
        stop();
        resolve();
      });
      router.history.back();
    });
  }, [id, router]);
  return { isAsked, ask, close };
}
