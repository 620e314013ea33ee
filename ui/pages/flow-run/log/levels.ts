/** Levels as Python numbers them. */
export const LEVELS = [
  [0, "All levels"],
  [20, "Info and above"],
  [30, "Warnings and above"],
  [40, "Errors"],
] as const;

export function levelName(level: number): string {
  if (level >= 50) return "critical";
  if (level >= 40) return "error";
  if (level >= 30) return "warning";
  if (level >= 20) return "info";
  return "debug";
}
