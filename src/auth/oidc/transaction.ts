/**
 * Login transactions: what the gateway has to remember between sending a browser to the provider and its return. Each
 * attempt has a sealed cookie of its own, so tabs do not disturb each other, and only the browser that started it can
 * finish it.
 */
import type { Sealer } from "../../lib/seal.ts";
import { digestKey } from "../../lib/digest.ts";
import type { LoginAttempt } from "./provider.ts";

/** One attempt and where it is to end. */
export interface Transaction extends LoginAttempt {
  /** A checked preview URL. */
  readonly returnTo: string;
}

/** How long a login may take, ms. */
export const TRANSACTION_TTL_MS = 600_000;

/** Seals and opens transactions. */
export interface TransactionSealer {
  seal(transaction: Transaction): Promise<string>;
  /** The transaction with that state, if one of `sealed` is it; undefined otherwise. */
  open(
    sealed: readonly string[],
    state: string,
  ): Promise<Transaction | undefined>;
}

/** A name for the cookie of the attempt with that state. */
export function transactionId(state: string): string {
  return digestKey([state]).slice(0, 12);
}

function isTransaction(value: unknown): value is Transaction {
  return typeof value === "object" && value !== null &&
    ["state", "nonce", "codeVerifier", "redirectUri", "returnTo"].every(
      (name) => typeof Reflect.get(value, name) === "string",
    );
}

/** Creates the sealer of transactions. */
export function createTransactionSealer(
  sealer: Sealer,
  now: () => number,
): TransactionSealer {
  return {
    seal: (transaction) =>
      sealer.seal(
        { transaction: { ...transaction } },
        now() + TRANSACTION_TTL_MS,
      ),
    async open(sealed, state) {
      for (const token of sealed) {
        const transaction = (await sealer.open(token))?.transaction;
        if (isTransaction(transaction) && transaction.state === state) {
          return transaction;
        }
      }
      return undefined;
    },
  };
}
