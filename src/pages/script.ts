/** The few scripts of our pages: each is a constant, and a page's policy allows exactly those that it has. */
import { createHash } from "node:crypto";

export interface PageScript {
  readonly text: string;
  /** What allows it in a Content-Security-Policy, and no other (CSP3 section 2.3.1). */
  readonly source: string;
}

export function pageScript(text: string): PageScript {
  const digest = createHash("sha256").update(text).digest("base64");
  return { text, source: `'sha256-${digest}'` };
}

export function withScripts(
  policy: string,
  scripts: readonly PageScript[],
): string {
  if (scripts.length === 0) return policy;
  const sources = scripts.map(({ source }) => source).join(" ");
  return `${policy}; script-src ${sources}`;
}
