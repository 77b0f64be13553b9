/** Has an app's Content-Security-Policy allow one inline script more (CSP3), and nothing else. */
import { type Header, type HeaderList, isName } from "../../../http/headers.ts";

/** What decides over script elements, the first that a policy has (CSP3, section 6.8.3). */
const DIRECTIVES = ["script-src-elem", "script-src", "default-src"];

/** Sources beside which `'unsafe-inline'` counts for nothing (CSP3, section 6.7.3.2). */
const EXACT = /^'(?:nonce|sha(?:256|384|512))-[\w+/-]+={0,2}'$/i;

/** The headers with `source` in each policy that is enforced, wherever it takes that to have such a script run. */
export function withSource(headers: HeaderList, source: string): HeaderList {
  return headers.map(([name, value]): Header =>
    isName(name, "content-security-policy")
      ? [name, value.split(",").map((one) => allowing(one, source)).join()]
      : [name, value]
  );
}

function allowing(policy: string, source: string): string {
  const directives = policy.split(";");
  const names = directives.map((one) => wordsOf(one)[0]?.toLowerCase());
  const name = DIRECTIVES.find((one) => names.includes(one));
  if (name === undefined) return policy;
  const at = names.indexOf(name); // browsers ignore the second of a name
  const directive = directives[at] ?? "";
  if (allowsInline(name, wordsOf(directive).slice(1))) return policy;
  const text = directive.trimEnd();
  const spaces = directive.slice(text.length);
  return directives.with(at, `${text} ${source}${spaces}`).join(";");
}

/** True if `'unsafe-inline'` counts, which a hash would end: for scripts, or for styles if they may be decided over, too. */
function allowsInline(name: string, sources: readonly string[]): boolean {
  const words = sources.map((one) => one.toLowerCase());
  return words.includes("'unsafe-inline'") &&
    !sources.some((one) => EXACT.test(one)) &&
    // That is the end of inline scripts, but not of inline styles.
    (name === "default-src" || !words.includes("'strict-dynamic'"));
}

function wordsOf(text: string): string[] {
  return text.match(/[^\t\n\f\r ]+/g) ?? [];
}
