/** The address if it leads to a web page or is an image itself; null for scripts and whatever else a run may have left. */
export function safeUrl(text: string): string | null {
  if (!URL.canParse(text, location.href)) return null;
  const { protocol } = new URL(text, location.href);
  const isImage = /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(text);
  return protocol === "http:" || protocol === "https:" || isImage ? text : null;
}
