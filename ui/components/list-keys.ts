/** `/` goes to the page's filter, `j` and `k` to the next and the last row; Enter then opens it, as it is a link. */
import { useEffect } from "react";

/** Elements that these keys look for. */
export const FILTER = { "data-filter": true } as const;
export const ROW_LINK = { "data-row-link": true } as const;

export function useListKeys(): void {
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "/") focus(document.querySelector("[data-filter]"));
  else if (event.key === "j") focus(neighbour(1));
  else if (event.key === "k") focus(neighbour(-1));
  else return;
  event.preventDefault();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [role=dialog], [role=menu]") !== null
  );
}

function neighbour(step: 1 | -1): Element | null {
  const links = [...document.querySelectorAll("[data-row-link]")];
  const row = document.activeElement?.closest("tr");
  const at = links.findIndex((link) => link === document.activeElement || (row && row === link.closest("tr")));
  return at === -1 ? (links[0] ?? null) : (links[at + step] ?? null);
}

function focus(element: Element | null): void {
  if (!(element instanceof HTMLElement)) return;
  element.focus();
  element.scrollIntoView({ block: "nearest" });
}
