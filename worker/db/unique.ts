/** Whether an error, or what caused it, is D1's word that a unique column (`table.column`) has the value already. */
export function violatesUnique(error: unknown, column: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(`UNIQUE constraint failed: ${column}`)) return true;
  }
  return false;
}
