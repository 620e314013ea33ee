/** Who is signed in. */
import { useQuery } from "@tanstack/react-query";
import { mayDo, readSession, type Session } from "#protocol/access";
import type { Role } from "#protocol/endpoint";
import { read } from "./read.ts";

/** It changes with a sign-in only. */
export const sessionQuery = read(readSession, {});

/** Null until it is known. */
export function useSession(): Session | null {
  return useQuery(sessionQuery).data ?? null;
}

/** Why the signed-in key may not do what needs a role, as a sentence; null when it may. */
export function useRoleRefusal(needed: Role): string | null {
  const session = useSession();
  if (session === null || mayDo(session.role, needed)) return null;
  return `This needs a key with the role ${needed}; yours has the role ${session.role}.`;
}
