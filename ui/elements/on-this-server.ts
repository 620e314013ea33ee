/** A command as a shell takes it, told which server is meant: it need not be at the default address. */
export function onThisServer(command: string): string {
  return `SLUICE_API_URL=${location.origin}/api ${command}`;
}
