/**
 * The cookie in which the UI keeps its key. Scripts cannot read it, and no other site can have it sent; pages of other
 * ports of this machine could, which the check of Origin refuses.
 */
const MAX_AGE_SECONDS = 30 * 24 * 60 * 60;

/** The key that a request carries in its cookie; empty when there is none. */
export function cookieKey(header: string | undefined, url: string): string {
  const name = cookieName(url);
  for (const pair of (header ?? "").split(";")) {
    const [given = "", value = ""] = pair.trim().split("=", 2);
    if (given === name) return decoded(value);
  }
  return "";
}

/** The value of a Set-Cookie header that keeps the key. */
export function keepingCookie(key: string, url: string): string {
  return cookie(url, encodeURIComponent(key.toWellFormed()), MAX_AGE_SECONDS);
}

/** The value of a Set-Cookie header that forgets the key. */
export function forgettingCookie(url: string): string {
  return cookie(url, "", 0);
}

function cookie(url: string, value: string, maxAgeSeconds: number): string {
  const secure = new URL(url).protocol === "https:" ? "; Secure" : "";
  return `${cookieName(url)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
}

/** Cookies do not tell ports apart, and several servers may run on one machine. */
function cookieName(url: string): string {
  const { port } = new URL(url);
  return port === "" ? "sluice_key" : `sluice_key_${port}`;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    // Not ours: no key was presented.
    return "";
  }
}
