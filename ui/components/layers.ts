/**
 * What is opened over a page or beside it is an entry of the history: back closes it. Closing it goes back, too, so that
 * neither it nor a second entry for the same page is left behind.
 */
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useMemo } from "react";

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** Which parameters of the address's search opened something, one entry of the history after the other. */
    layers?: readonly string[];
  }
}

type Search = Readonly<Record<string, unknown>>;
type ChangeSearch = (before: Search) => Search;

export interface Layers {
  /** Changes the address's search for what its parameter `name` opens. */
  lay(name: string, search: ChangeSearch): void;
  /** Closes what `name` opened. Where it came with the address, as by a link, the parameter is taken out of it. */
  lift(name: string): void;
}

export function useLayers(): Layers {
  const navigate = useNavigate();
  const router = useRouter();
  return useMemo(() => {
    const current = (): readonly string[] => router.history.location.state.layers ?? [];
    const go = (search: ChangeSearch, layers: readonly string[]): void =>
      void navigate({
        to: ".",
        search,
        state: { layers },
        replace: layers.length === 0,
        resetScroll: false,
      });
    return {
      lay: (name, search) => go(search, [...current(), name]),
      lift: (name) => {
        const layers = current();
        const count = layers.length - 1 - layers.findLastIndex((layer) => layer !== name);
        if (count > 0) router.history.go(-count);
        else go((before) => ({ ...before, [name]: undefined }), []);
      },
    };
  }, [navigate, router]);
}
