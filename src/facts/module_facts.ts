/** What a feature brings to the tables of all: `deno task gen` makes gen/facts.ts of every `src/features/NAME/facts.ts`. */
import type { ErrorFacts } from "./error_facts.ts";

/** At most two label names, and the values that each can have. */
export type ClosedLabels = Readonly<Record<string, readonly string[]>>;

/** A metric. */
export interface MetricFacts {
  /** Includes the unit, and `_total` for a counter. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels?: ClosedLabels;
  /** True to expose a value only once it was set. */
  readonly isAbsentUntilSet?: boolean;
}

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
  /** What docs/errors.md tells operators of a code, of the core too, besides its text, in Markdown. */
  readonly notes?: Readonly<Record<string, string>>;
  /** Cookies on one host only, without their prefix; see auth/own_cookies.ts. */
  readonly cookies?: readonly string[];
  /** First segments of paths on base hosts, of which the second is a sandbox: pages for its members, to log in for. */
  readonly memberPages?: readonly string[];
  /** First segments of paths on base hosts, and the grammar of the second: pages that ask who somebody is by a login. */
  readonly guestPages?: Readonly<Record<string, string>>;
  /** By what grants are carried. */
  readonly vias?: readonly string[];
  /** What its exchanges are called in logs and metrics. */
  readonly routes?: readonly string[];
  /** Metrics, for `count()` and `setSource()` of observability/metrics/metrics.ts. */
  readonly metrics?: Readonly<Record<string, MetricFacts>>;
  /** Kinds of answers of the API that are cached as long as the visibility of a sandbox. */
  readonly cacheKinds?: readonly string[];
  /** Headers that no client may send, as the gateway sends them to apps; in lower case. */
  readonly requestHeaders?: readonly string[];
  /** Headers that no app may send, as the gateway sends them to clients; in lower case. */
  readonly responseHeaders?: readonly string[];
  /** Variables that it once read, and what takes the place of each. */
  readonly retired?: Readonly<Record<string, string>>;
}
