import { useQuery } from "@tanstack/react-query";
import { readHealth } from "#protocol/server";
import { useConnectionLost } from "../api/connection.ts";
import { read } from "../api/read.ts";

const ASK_AGAIN_MS = 2_000;

/** Says that the server does not answer, for as long as it does not. */
export function ConnectionBar() {
  const lost = useConnectionLost();
  // The answer to this one ends it; what pages show is read again by themselves.
  useQuery({ ...read(readHealth, {}), enabled: lost, refetchInterval: ASK_AGAIN_MS, gcTime: 0 });
  if (!lost) return null;
  return (
    <div className="connection-bar" role="status">
      The server does not answer. What you see may be old; it goes on by itself when the server is back.
    </div>
  );
}
