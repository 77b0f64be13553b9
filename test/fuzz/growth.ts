/** Inputs that make a careless reader try the same octets again and again: the time for an octet must not grow. */
import { fromLatin1 } from "../support/latin1.ts";

/** One function with one kind of input. */
export interface Growth {
  readonly name: string;
  /** An input of about `octets` octets, and what reads it. */
  prepare(octets: number): () => void;
}

/** Texts of one token again and again, between others that make the whole fail late. */
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

/** The same as octets, made before time is taken. */
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

/** Blanks, and what some take for one. */
export const BLANKS: readonly string[] = [" ", "\t", "\xa0"];
