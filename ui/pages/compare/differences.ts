/** What of two runs belongs together, and where it is not the same. */
export interface Difference {
  readonly name: string;
  /** As JSON; a dash where it is absent. */
  readonly left: string;
  readonly right: string;
  readonly isDifferent: boolean;
}

/** The values of two objects by their names, those that differ first. */
export function differences(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
): Difference[] {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  const rows = names.map((name) => {
    const [a, b] = [text(left[name]), text(right[name])];
    return { name, left: a, right: b, isDifferent: a !== b };
  });
  return rows.sort((a, b) => Number(b.isDifferent) - Number(a.isDifferent));
}

export interface TaskPair<Task> {
  readonly name: string;
  readonly left: Task | null;
  readonly right: Task | null;
}

/** Task runs of two runs by their names, in the order of the left one. */
export function pairs<Task extends { readonly name: string }>(
  left: readonly Task[],
  right: readonly Task[],
): TaskPair<Task>[] {
  const ofRight = new Map(right.map((task) => [task.name, task]));
  const ofLeft = new Set(left.map(({ name }) => name));
  return [
    ...left.map((task) => ({ name: task.name, left: task, right: ofRight.get(task.name) ?? null })),
    ...right.filter(({ name }) => !ofLeft.has(name)).map((task) => ({ name: task.name, left: null, right: task })),
  ];
}

function text(value: unknown): string {
  return value === undefined ? "–" : JSON.stringify(value);
}
