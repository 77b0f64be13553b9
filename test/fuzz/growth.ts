/** Inputs that make a careless parser read the same octets over and over: the time per octet must not grow. */
import { fromLatin1 } from "../support/latin1.ts";

/** One function with one kind of input. */
export interface Growth {
  readonly name: string;
  /** Builds an input of about `octets` octets, and returns what parses it. */
  prepare(octets: number): () => void;
}

/** Texts that repeat one token, with `around` to make parsers fail late. */
export function repeated(
  name: string,
  tokens: readonly string[],
  run: (text: string) => void,
  around: readonly [before: string, behind: string] = ["", ""],
): Growth[] {
  return tokens.map((token) => ({
    name: `${name} of ${JSON.stringify(token)}`,
    prepare(octets) {
      const text = token.repeat(Math.ceil(octets / token.length));
      const whole = around[0] + text + around[1];
      return () => run(whole);
    },
  }));
}

/** The same as octets, encoded before the measurement starts. */
export function repeatedOctets(
  name: string,
  tokens: readonly string[],
  run: (octets: Uint8Array<ArrayBuffer>) => void,
  around: readonly [before: string, behind: string] = ["", ""],
): Growth[] {
  return tokens.map((token) => ({
    name: `${name} of ${JSON.stringify(token)}`,
    prepare(octets) {
      const text = token.repeat(Math.ceil(octets / token.length));
      const whole = fromLatin1(around[0] + text + around[1]);
      return () => run(whole);
    },
  }));
}

/** Whitespace, and what some parsers take for it. */
export const BLANKS: readonly string[] = [" ", "\t", "\xa0"];
