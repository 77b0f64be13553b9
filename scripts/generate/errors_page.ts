/** The page of all error codes, generated from the tables by which the gateway answers. */
import { FEATURE_NOTES } from "../../gen/facts.ts";
import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorFacts,
  ERRORS,
} from "../../src/error_codes.ts";
import { errorText } from "../../src/pages/error_texts.ts";
import type { Artefact } from "./artefact.ts";
import { ERROR_NOTES } from "./error_notes.ts";
import { formatted } from "./text.ts";

/** What the page says of one code. */
export interface ErrorRow {
  readonly code: string;
  readonly status: number;
  /** What happened. */
  readonly title: string;
  /** What the visitor can do. */
  readonly hint: string;
  /** Who can change it. */
  readonly fault: ErrorFacts["fault"];
  /** True if the page of the error waits, and reloads by itself. */
  readonly reloads: boolean;
  /** What the gateway's operator should know besides, in Markdown. */
  readonly note: string | undefined;
}

const HEAD = `# Error codes

An answer with \`X-Porthole-Error\` is the gateway's own. The code is also in the
problem document (RFC 9457, as \`portholeCode\`; \`code\` may be one of Daytona's,
and \`message\` stands alone for its SDKs), in the access log's \`error\`, and in
\`porthole_errors_total\`. 503 and 429 carry \`Retry-After\`: where nothing else is
said, try again then, and if that does not help, report the request ID to the
gateway's operator.

Who can change it is the client (4xx) or the operator (5xx), unless the user of
the sandbox or us (bug) stands beside the status. **reloads** marks a page that
[waits](operate.md#pages-that-wait). This page is generated (\`deno task gen\`).
`;

/** What the core says of a code, and what a feature adds to that. */
const NOTES: readonly Readonly<Partial<Record<ErrorCode, string>>>[] = [
  ERROR_NOTES,
  FEATURE_NOTES,
];

/** What visitors are told of many codes, and the head of the page says once. */
const OF_MANY =
  / ?(?:Try again in a (?:few seconds|moment)\.|If that does not help, report the request ID to the gateway's operator\.)/g;

/** docs/errors.md. */
export const errorsPage: Artefact = {
  path: "docs/errors.md",
  produce: () => formatted(errorsText(rows()), "md"),
};

/** The page for these codes, in their order: a section for each, so that other pages can link it. */
export function errorsText(rows: readonly ErrorRow[]): string {
  return HEAD + rows.map(section).join("");
}

function section(row: ErrorRow): string {
  const { code, status, fault, title, hint, note } = row;
  const isExpected = fault === (status < 500 ? "client" : "operator");
  const marks = [
    String(status),
    ...isExpected ? [] : [fault],
    ...row.reloads ? ["reloads"] : [],
  ];
  const texts = [
    `**${title}** (${marks.join(", ")}).`,
    hint.replace(OF_MANY, "").trim(),
    note ?? "",
  ].filter((text) => text !== "");
  return `\n## \`${code}\`\n\n${texts.join(" ")}\n`;
}

function rows(): ErrorRow[] {
  return ERROR_CODES.map((code) => {
    const { status, fault, passes } = ERRORS[code];
    const reloads = passes === "by_itself";
    const note = NOTES.flatMap((notes) => notes[code] ?? []).join(" ");
    return { code, status, fault, ...errorText(code), reloads, note };
  });
}
