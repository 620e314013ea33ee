import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Button } from "../elements/button.tsx";
import { useAsked } from "./asked.ts";
import { CommandPalette } from "./command-palette.tsx";
import { ConnectionBar } from "./connection-bar.tsx";
import { useListKeys } from "./list-keys.ts";
import { NAVIGATION } from "./navigation.ts";
import { SessionFoot } from "./session-foot.tsx";

/** What every page has around it. */
export function Shell() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [menuOfPath, setMenuOfPath] = useState<string | null>(null);
  const palette = useAsked();
  useListKeys();
  usePaletteKey(palette.ask);
  return (
    <div className="shell">
      <a className="sr-only" href="#content">
        Skip to the content
      </a>
      <header className="sidebar" data-open={menuOfPath === path}>
        <Link to="/" className="brand">
          <Mark /> Sluice
        </Link>
        <span className="menu-button">
          <Button
            size="small"
            aria-expanded={menuOfPath === path}
            onClick={() => setMenuOfPath(menuOfPath === path ? null : path)}
          >
            Menu
          </Button>
        </span>
        <nav className="nav" aria-label="Pages">
          {NAVIGATION.map(({ group, pages }) => (
            <ul key={group} aria-label={group}>
              {pages.map(({ to, title }) => (
                <li key={to}>
                  <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
                    {title}
                  </Link>
                </li>
              ))}
            </ul>
          ))}
        </nav>
        <div className="sidebar-foot">
          <Button kind="plain" size="small" onClick={palette.ask}>
            Find anything <kbd>Ctrl K</kbd>
          </Button>
          <SessionFoot />
        </div>
      </header>
      <div id="content" tabIndex={-1}>
        <ConnectionBar />
        <Outlet />
      </div>
      {palette.isAsked && <CommandPalette onClose={palette.close} />}
    </div>
  );
}

function Mark() {
  return (
    <svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M2 4h12M2 8h8M2 12h10" stroke="var(--accent)" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}

function usePaletteKey(open: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      open();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [open]);
}
