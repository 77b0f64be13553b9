/** The text without the slashes that it ends in. A plain `/\/+$/` would try every slash of a run, to the run's end. */
export function withoutTrailingSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}
