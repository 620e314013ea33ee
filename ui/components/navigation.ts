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
    pages: [{ to: "/deployments", title: "Deployments" }],
  },
] as const;

export const PAGES = NAVIGATION.flatMap(({ pages }) => [...pages]);
