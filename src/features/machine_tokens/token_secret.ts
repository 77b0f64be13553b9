/** The form of machine tokens: `pp_` and, in base64url, the 16 bytes of a record's id and 16 that only its holder knows. */

const FORM = /^pp_[A-Za-z0-9_-]{43}$/;

const ALPHABET = { alphabet: "base64url", omitPadding: true } as const;

const HALF = 16;

interface SplitToken {
  /** The record's. */
  readonly id: string;
  /** All of it, of which a keyed hash is kept. */
  readonly bytes: Uint8Array;
}

/** True if a text looks like a machine token. */
export function isMachineToken(text: string): boolean {
  return FORM.test(text);
}

/** A new token for the record with that id. */
export function newToken(id: string): SplitToken & { readonly token: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(2 * HALF));
  bytes.set(Uint8Array.fromBase64(id, ALPHABET));
  return { id, bytes, token: `pp_${bytes.toBase64(ALPHABET)}` };
}

/** A token by its text; undefined if that is none. */
export function parseToken(text: string): SplitToken | undefined {
  if (!isMachineToken(text)) return undefined;
  const bytes = Uint8Array.fromBase64(text.slice("pp_".length), ALPHABET);
  return { id: bytes.subarray(0, HALF).toBase64(ALPHABET), bytes };
}
