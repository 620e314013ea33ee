/** A state's name within a sentence: `TimedOut` is "timed out". */
export function stateWords(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}
