/** The cache of what was read. It also knows when the server cannot be reached, and when nobody is signed in. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { SluiceError } from "#protocol/errors";
import { ApiUnreachableError } from "../../sdk/client/errors.ts";
import { connection } from "./connection.ts";

export interface Listener {
  /** The server does not know the key any more. */
  signedOut(): void;
}

export function createQueryClient(listener: Listener): QueryClient {
  const heard = (error: unknown): void => {
    if (error instanceof ApiUnreachableError) connection.lost();
    else if (error instanceof SluiceError && error.code === "unauthorized") listener.signedOut();
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: heard, onSuccess: () => connection.found() }),
    mutationCache: new MutationCache({
      onError: heard,
      // Whatever was done may show anywhere.
      onSettled: () => void client.invalidateQueries(),
    }),
    defaultOptions: {
      queries: { staleTime: 1_000, retry: false, networkMode: "always" },
      mutations: { networkMode: "always" },
    },
  });
  return client;
}
