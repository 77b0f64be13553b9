/** What a feature brings to the tables of all: `deno task gen` makes gen/facts.ts of every `src/features/NAME/facts.ts`. */
import type { ErrorFacts } from "./error_facts.ts";

/** The public text of one error code, whose hint, unless it has one, is to try again; see pages/error_texts.ts. */
export interface WrittenText {
  readonly title: string;
  readonly detail: string;
  readonly hint?: string;
  /** In place of the hint beside a button that does what it says. */
  readonly buttonHint?: string;
  /** What the link to another attempt says, where it leads to the login. */
  readonly retry?: string;
}

/** Plain data, of which nothing may be in another feature's facts or the core's tables. */
export interface ModuleFacts {
  /** Rows of error_codes.ts. */
  readonly errors?: Readonly<Record<string, ErrorFacts>>;
  /** The texts of these codes. */
  readonly texts?: Readonly<Record<string, WrittenText>>;
  /** What docs/errors.md tells operators of a code besides its text, in Markdown. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Cookies on one host only, without their prefix; see auth/own_cookies.ts. */
  readonly cookies?: readonly string[];
  /** First segments of paths on base hosts, of which the second is a sandbox: pages for its members, to log in for. */
  readonly memberPages?: readonly string[];
  /** First segments of paths on base hosts, and the grammar of the second: pages that ask who somebody is by a login. */
  readonly guestPages?: Readonly<Record<string, string>>;
}
