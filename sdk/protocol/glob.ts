/**
 * Shell patterns as Python's `fnmatch.fnmatchcase` reads them: `*` is any text, `?` one character, `[abc]`, `[a-z]` and
 * `[!a-z]` one character of a set; a `[` without its `]` stands for itself. There is no escape.
 */

/** One step of a pattern; null is `*`. */
type Step = ((character: string) => boolean) | null;

/** Whether the whole value matches. Takes time in the product of the lengths at most, whatever the pattern. */
export function globMatches(pattern: string, value: string): boolean {
  if (!/[*?[]/.test(pattern)) return pattern === value;
  const steps = stepsOf(pattern);
  const characters = Array.from(value);
  let at = 0;
  let step = 0;
  /** Where to go on when a guess at what the last `*` covers was too short. */
  let retry: { step: number; at: number } | null = null;
  while (at < characters.length) {
    const test = steps[step];
    if (test === null) {
      step += 1;
      retry = { step, at };
    } else if (test?.(characters[at] ?? "")) {
      step += 1;
      at += 1;
    } else if (retry) {
      retry.at += 1;
      ({ step, at } = retry);
    } else return false;
  }
  return steps.slice(step).every((rest) => rest === null);
}

function stepsOf(pattern: string): Step[] {
  const steps: Step[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === "*") {
      if (steps.at(-1) !== null || steps.length === 0) steps.push(null);
    } else if (character === "?") steps.push(() => true);
    else if (character === "[") {
      const end = endOfSet(characters, index);
      if (end === null) steps.push((other) => other === "[");
      else {
        steps.push(setTest(characters.slice(index + 1, end)));
        index = end;
      }
    } else steps.push((other) => other === character);
  }
  return steps;
}

/** The place of the closing bracket; one that comes first in the set is a member of it. */
function endOfSet(characters: readonly string[], start: number): number | null {
  let index = start + 1;
  if (characters[index] === "!") index += 1;
  if (characters[index] === "]") index += 1;
  const end = characters.indexOf("]", index);
  return end < 0 ? null : end;
}

function setTest(members: readonly string[]): (character: string) => boolean {
  const isNegated = members[0] === "!";
  const rest = isNegated ? members.slice(1) : members;
  const ranges: { from: string; to: string }[] = [];
  for (let index = 0; index < rest.length; index++) {
    const from = rest[index] ?? "";
    const to = rest[index + 2];
    if (rest[index + 1] === "-" && to !== undefined) {
      ranges.push({ from, to });
      index += 2;
    } else ranges.push({ from, to: from });
  }
  return (character) => ranges.some(({ from, to }) => from <= character && character <= to) !== isNegated;
}
