/**
 * The map of the product: groups by what one comes for. Automations and events belong behind "Runs" in the first group,
 * once there are pages for them.
 */
export const NAVIGATION = [
  {
    group: "Watch",
    pages: [
      { to: "/", title: "Dashboard" },
      { to: "/runs", title: "Runs" },
    ],
  },
  {
    group: "Build",
    pages: [
      { to: "/flows", title: "Flows" },
      { to: "/deployments", title: "Deployments" },
      { to: "/webhooks", title: "Webhooks" },
    ],
  },
  {
    group: "Run",
    pages: [
      { to: "/work-pools", title: "Work pools" },
      { to: "/limits", title: "Limits" },
    ],
  },
  {
    group: "Keep",
    pages: [
      { to: "/blocks", title: "Blocks" },
      { to: "/variables", title: "Variables" },
      { to: "/artifacts", title: "Artifacts" },
    ],
  },
  { group: "Server", pages: [{ to: "/settings", title: "Settings" }] },
] as const;

export const PAGES = NAVIGATION.flatMap(({ pages }) => [...pages]);
