/** The text without its trailing slashes. A plain `/\/+$/` would retry from every slash of a run: quadratic time. */
export function withoutTrailingSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}
