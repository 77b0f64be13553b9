/**
 * The keys by which identities are signed, at all gateways the same: random, and sealed among the records. Each signs for a
 * month, and is published a day before, so that who has fetched them since knows it, and until the next but one is.
 */
import * as jose from "jose";
import { SingleFlight } from "../../cache/single_flight.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { Records } from "../../records/records.ts";

export const ALGORITHM = "ES256";

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

/** The one that signs, and the one before or after it. */
const MAX_KEYS = 2;

/** Where they are kept: one record, of no sandbox. */
const KIND = "identity-keys";
const ID = "current";

/** A pair of keys as it is kept: the public one as JSON, and when it begins to sign, ms since the epoch. */
type KeptKey = Readonly<
  Record<"kid" | "published" | "sealed", string> & { from: number }
>;

interface IdentityKeysParts extends Pick<FeatureParts, "now"> {
  readonly records: Pick<Records, "get" | "put">;
  readonly sealer: Sealer;
}

/** Reads them, and makes new ones in time. Both methods throw `records_unavailable` if none were read before that. */
export class IdentityKeys {
  readonly #parts: IdentityKeysParts;
  readonly #reads = new SingleFlight<readonly KeptKey[]>();
  /** By id; of undefined if none of `SESSION_SECRETS` opens it any more. */
  readonly #opened = new Map<string, ReturnType<Sealer["open"]>>();
  /** As of the last time, in case that the store is away, or has lost them. */
  #known: readonly KeptKey[] = [];

  constructor(parts: IdentityKeysParts) {
    this.#parts = parts;
  }

  /** The private key that signs now, with its id. */
  async signing(): Promise<{ readonly kid: string; readonly key: jose.JWK }> {
    const found = await this.#signingIn(await this.#current());
    if (found === undefined) throw new Error("Cannot sign without a key");
    return found;
  }

  /** The public keys (RFC 7517 section 5). */
  async published(): Promise<{ keys: Record<string, string>[] }> {
    const kept = await this.#current();
    return { keys: kept.map(({ published }) => JSON.parse(published)) };
  }

  #current(): Promise<readonly KeptKey[]> {
    return this.#reads.share(ID, () =>
      this.#read().catch((error) => {
        const isAway = error instanceof GatewayError;
        if (!isAway || this.#known.length === 0) throw error;
        return this.#known;
      }));
  }

  /** Those that are kept, and one more that is written first if it is time for that. */
  async #read(): Promise<readonly KeptKey[]> {
    const { records, now } = this.#parts;
    for (;;) {
      const found = await records.get(KIND, ID);
      // Only this method writes it.
      if (found) this.#known = found.record.data as unknown as KeptKey[];
      const data = await this.#withDue(this.#known);
      if (found && data === this.#known) return data;
      const { createdAt } = found?.record ?? { createdAt: now() };
      const place = { id: ID, sandboxId: "", organizationId: null };
      const record = { ...place, createdAt, expiresAt: null, data };
      const when = found ? { etag: found.etag } : "absent";
      const written = await records.put(KIND, record, when);
      if (typeof written === "object") return this.#known = data;
      // Another gateway was faster.
    }
  }

  /** One more if it is time for that; it signs at once if no other can. */
  async #withDue(kept: readonly KeptKey[]): Promise<readonly KeptKey[]> {
    const now = this.#parts.now();
    const canSign = await this.#signingIn(kept) !== undefined;
    const nextFrom = (kept.at(-1)?.from ?? 0) + MONTH_MS;
    if (canSign && now < nextFrom - DAY_MS) return kept;
    const from = canSign ? Math.max(nextFrom, now + DAY_MS) : now;
    const options = { extractable: true };
    const pair = await jose.generateKeyPair(ALGORITHM, options);
    const key = await jose.exportJWK(pair.privateKey);
    const { d: _, ...publicKey } = key;
    const kid = await jose.calculateJwkThumbprint(publicKey);
    const published = { ...publicKey, kid, alg: ALGORITHM, use: "sig" };
    const sealed = await this.#parts.sealer.seal({ key }, from + 2 * MONTH_MS);
    const made = { kid, from, published: JSON.stringify(published), sealed };
    return [...kept, made].slice(-MAX_KEYS);
  }

  /** The latest key that has begun to sign, and can be opened. */
  async #signingIn(kept: readonly KeptKey[]) {
    for (const { kid, from, sealed } of kept.toReversed()) {
      if (from > this.#parts.now()) continue;
      const opening = this.#opened.get(kid) ?? this.#parts.sealer.open(sealed);
      this.#opened.set(kid, opening);
      const opened = await opening;
      if (opened !== undefined) return { kid, key: opened.key as jose.JWK };
    }
    return undefined;
  }
}
