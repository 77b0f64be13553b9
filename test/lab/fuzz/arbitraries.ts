/** Nearly valid inputs: the grammars of URLs and HTTP, mixed with characters that parsers disagree about. */
import fc from "fast-check";

/** A concatenation of up to `max` of the tokens, in any order. */
export function soup(
  tokens: readonly string[],
  max = 8,
): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...tokens), { maxLength: max })
    .map((parts) => parts.join(""));
}

/** Spellings that percent-decode to `text` (RFC 3986 section 2.1); most characters stay as they are. */
export function spellings(text: string): fc.Arbitrary<string> {
  return fc.tuple(...Array.from(text, (character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
    return fc.constantFrom(
      character,
      character,
      character,
      `%${hex}`,
      `%${hex.toUpperCase()}`,
    );
  })).map((parts) => parts.join(""));
}

/** `text` in any mix of upper and lower case; unchanged most of the time. */
export function cases(text: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(text) },
    fc.constant(text.toUpperCase()),
    fc.mixedCase(fc.constant(text)),
  );
}

/** `valid` texts with up to three edits: a token inserted, or a part replaced by a token, deleted or doubled. */
export function mutated(
  valid: fc.Arbitrary<string>,
  tokens: readonly string[],
): fc.Arbitrary<string> {
  const edit = fc.record({
    kind: fc.constantFrom("insert", "insert", "replace", "delete", "double"),
    at: fc.nat(200),
    length: fc.integer({ min: 1, max: 8 }),
    token: fc.constantFrom(...tokens),
  });
  return fc.tuple(valid, fc.array(edit, { maxLength: 3 }))
    .map(([text, edits]) =>
      edits.reduce((text, { kind, at, length, token }) => {
        const start = at % (text.length + 1);
        const end = Math.min(text.length, start + length);
        const middle = {
          insert: token + text.slice(start, end),
          replace: token,
          delete: "",
          double: text.slice(start, end).repeat(2),
        }[kind];
        return text.slice(0, start) + middle + text.slice(end);
      }, text)
    );
}

/**
 * Characters that parsers of URLs, fields and cookies treat in different ways; a field value may contain all of them.
 */
export const TRICKY: readonly string[] = [
  ..." \t\"#%&'()*+,-./:;<=>?@[\\]^_`{|}~",
  "\x85",
  "\xa0",
  "\xe9",
  "\xff",
  "0",
  "a",
  "Z",
  "//",
  "..",
  "%00",
  "%0d%0a",
  "%2e",
  "%2f",
  "%zz",
];

/** The same, and characters that no field value may contain, down to lone surrogates. */
export const HOSTILE: readonly string[] = [
  ...TRICKY,
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\v",
  "\x7f",
  "\u2000",
  "\u212a",
  "\ufeff",
  "\uff0e",
  "\ud800",
  "\udc00",
  "\u{1f600}",
  "99999999999999999999",
  "__proto__",
];

/** A valid field value (RFC 9110 section 5.5), with obs-text but without surrounding whitespace. */
export const fieldValue: fc.Arbitrary<string> = soup(TRICKY).map((text) =>
  text.replace(/^[ \t]+|[ \t]+$/g, "")
);

/** Any text. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  soup(HOSTILE),
  fc.string({ unit: "binary" }),
);

const LABEL_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_";

/** The label of a preview host. */
export const label: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("demo", "aaaaaaaaaaaaaaaa", "-", "_", "0", "x--y"),
  fc.string({
    unit: fc.constantFrom(...LABEL_CHARACTERS),
    minLength: 1,
    maxLength: 57,
  }),
);

/** A TCP port. */
export const port: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(1, 80, 443, 2280, 3000, 22222, 33333, 65535),
  fc.integer({ min: 1, max: 65535 }),
);

/** The id of a sandbox. */
export const sandboxId: fc.Arbitrary<string> = fc.constantFrom(
  "box",
  "toolbox",
  "proxy",
  "-",
  "0b9f5bd4-4a3e-4c5e-8f59-7c1d2e3f4a5b",
);

const SEGMENTS: readonly string[] = [
  "",
  ".",
  "..",
  "...",
  "%2e",
  ".%2E",
  "%2e%2e",
  "%252e%252e",
  "%c0%ae%c0%ae",
  "..;",
  "..\xe9",
  "a",
  "a.b",
  "%",
  "%zz",
  "%00",
  "~",
  "@",
  "sandboxes",
  "toolbox",
  "proxy",
  "box",
];

const SEPARATORS: readonly string[] = [
  "/",
  "/",
  "/",
  "//",
  "\\",
  "%2f",
  "%2F",
  "%5c",
  "#",
  ";",
  "%252f",
];

/** A path that starts with a slash and whose segments are, or look like, dot segments. */
export const trickyPath: fc.Arbitrary<string> = fc.array(
  fc.tuple(fc.constantFrom(...SEPARATORS), fc.constantFrom(...SEGMENTS)),
  { maxLength: 8 },
).map((parts) => `/${parts.map(([a, b]) => b + a).join("")}`);

/** A query with its question mark, or nothing. */
export const trickyQuery: fc.Arbitrary<string> = fc.oneof(
  fc.constant(""),
  soup(["a", "=", "&", "&&", "+", "%20", ";", "?", "/../", "%zz", "#", "\xe9"])
    .map((text) => `?${text}`),
);

/** A request-target in origin form (RFC 9112 section 3.2.1). */
export const trickyTarget: fc.Arbitrary<string> = fc.tuple(
  trickyPath,
  trickyQuery,
).map((parts) => parts.join(""));

/** Points at which the network splits a stream: some offsets, or all of the first few hundred. */
export type Cuts = readonly number[] | "everywhere";

/** Any cuts, including none. */
export const cuts: fc.Arbitrary<Cuts> = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.nat(4096), { maxLength: 6 }) },
  fc.constant("everywhere" as const),
);

/** Bytes that are cut "everywhere": enough for any head, chunk or frame, as more would only take time. */
const CUT_BYTES = 300;

/** Copies of the pieces of `bytes`. */
export function cut(
  bytes: Uint8Array<ArrayBuffer>,
  at: Cuts,
): Uint8Array<ArrayBuffer>[] {
  const { length } = bytes;
  const points = at === "everywhere"
    ? Array.from({ length: Math.min(length, CUT_BYTES) }, (_, index) => index)
    : at.map((point) => point % (length + 1));
  const ends = [...points.toSorted((a, b) => a - b), length];
  return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}
