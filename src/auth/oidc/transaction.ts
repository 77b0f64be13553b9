/**
 * Login transactions: what is remembered between sending a browser to the provider and its return. Each attempt has its
 * own sealed cookie, so tabs do not interfere, and only the browser that started a login can finish it.
 */
import { digestKey } from "../../lib/digest.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { AuthorizationAttempt } from "./provider.ts";

/** A login attempt and where it leads. */
export interface Transaction extends AuthorizationAttempt {
  /** Preview URL to return to, already validated. */
  readonly returnTo: string;
  /** The challenge of the preview host that sent the browser (see login_code.ts); undefined if it needs no code. */
  readonly challenge?: string | undefined;
}

/** The time that a login may take, ms. */
export const TRANSACTION_TTL_MS = 600_000;

/** The id, for its cookie's name, of the transaction with that `state`. */
export function transactionId(state: string): string {
  return digestKey([state]).slice(0, 12);
}

function isTransaction(value: unknown): value is Transaction {
  const names = ["state", "nonce", "codeVerifier", "redirectUri", "returnTo"];
  return names.every((name) => typeof Object(value)[name] === "string");
}

/** Seals and opens transactions. */
export class TransactionSealer {
  readonly #sealer: Sealer;
  readonly #now: () => number;

  /** `now` is in ms since the epoch. */
  constructor(sealer: Sealer, now: () => number) {
    this.#sealer = sealer;
    this.#now = now;
  }

  seal(transaction: Transaction): Promise<string> {
    const expiresAt = this.#now() + TRANSACTION_TTL_MS;
    return this.#sealer.seal({ transaction }, expiresAt);
  }

  /** The unexpired transaction with that `state` among `sealed`; undefined if there is none. */
  async open(
    sealed: readonly string[],
    state: string,
  ): Promise<Transaction | undefined> {
    for (const token of sealed) {
      const transaction = (await this.#sealer.open(token))?.transaction;
      if (isTransaction(transaction) && transaction.state === state) {
        return transaction;
      }
    }
    return undefined;
  }
}
