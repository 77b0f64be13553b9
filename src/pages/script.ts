/** The few scripts of our pages: each is a constant, and a page's policy allows exactly those that it has. */
import { createHash } from "node:crypto";

/** A script. */
export interface PageScript {
  readonly text: string;
  /** What allows it in a Content-Security-Policy, and no other (CSP3 section 2.3.1). */
  readonly source: string;
}

/** A script with its source expression. */
export function pageScript(text: string): PageScript {
  const digest = createHash("sha256").update(text).digest("base64");
  return { text, source: `'sha256-${digest}'` };
}

/** A policy that allows some scripts, too. */
export function withScripts(
  policy: string,
  scripts: readonly PageScript[],
): string {
  if (scripts.length === 0) return policy;
  const sources = scripts.map(({ source }) => source).join(" ");
  return `${policy}; script-src ${sources}`;
}
