/**
 * The keys by which identities are signed, at all gateways the same: random, and sealed among the records. Each signs for a
 * month, and is published a day before, so that who has fetched them since knows it, and until the next but one is. With
 * them is the salt that visitors are called by, which stays.
 */
import * as jose from "jose";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { SingleFlight } from "../../cache/single_flight.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { isPending } from "../../lib/cooldown.ts";
import { createSealer, type Sealer } from "../../lib/seal.ts";
import type { Records } from "../../records/records.ts";
import { recordForm } from "../../records/stored_record.ts";

export const ALGORITHM = "ES256";

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

/** The end of what is sealed, ms since the epoch: the last time there is. */
const NEVER_MS = 8.64e15;

/** Time without a write after another one, ms: it may have failed, or gateways with other secrets first undo it. */
const WRITE_PAUSE_MS = 30_000;

/** The one that signs, and the one before or after it. */
const MAX_KEYS = 2;

/** Where they are kept: one record, of no sandbox. What cannot be read of it is written anew. */
const KIND = recordForm<unknown>("identity-keys", z.unknown());
const ID = "current";

const keptKeys = z.array(z.object({
  kid: z.string(),
  /** When it begins to sign, ms since the epoch. */
  from: z.number(),
  /** The public half, a JWK. */
  published: z.record(z.string(), z.string()),
  /** The private half, a JWK, and the salt, in base64url, which all have in common. */
  sealed: z.string(),
})).readonly();

type KeptKeys = z.output<typeof keptKeys>;

/** A key that one of the secrets opens. */
type OpenedKey = KeptKeys[number] & {
  readonly key: jose.JWK;
  readonly salt: string;
  /** False if it must be sealed anew, before the secret that opens it is removed. */
  readonly isByFirst: boolean;
};

interface IdentityKeysParts extends Pick<FeatureParts, "now"> {
  readonly records: Pick<Records, "get" | "put">;
  /** The first one seals, and all open. */
  readonly secrets: readonly string[];
}

/** Reads them, and makes new ones in time. Both methods throw `records_unavailable` if none were read before that. */
export class IdentityKeys {
  readonly #parts: IdentityKeysParts;
  readonly #sealer: Sealer;
  /** Of the first secret only. */
  readonly #first: Sealer;
  readonly #reads = new SingleFlight<KeptKeys>();
  /** By id, as they were opened last: they count even if another gateway seals them by a secret that is not ours. */
  readonly #opened = new Map<string, OpenedKey>();
  /** As of the last time, in case that the store is away, or has lost them. */
  #known: KeptKeys = [];
  #pausesUntil = -Infinity;

  constructor(parts: IdentityKeysParts) {
    const { secrets, now } = parts;
    const purpose = "identity-key";
    this.#parts = parts;
    this.#sealer = createSealer({ secrets, purpose, now });
    const first = secrets.slice(0, 1);
    this.#first = createSealer({ secrets: first, purpose, now });
  }

  /** The private key that signs now, the latest that has begun to, with its id and the salt. */
  async signing(): Promise<Pick<OpenedKey, "kid" | "key" | "salt">> {
    const opened = await this.#open(await this.#current());
    return this.#signing(opened) ?? noKey();
  }

  /** The public keys (RFC 7517 section 5). */
  async published(): Promise<{ keys: Record<string, string>[] }> {
    const kept = await this.#current();
    return { keys: kept.map(({ published }) => published) };
  }

  #current(): Promise<KeptKeys> {
    return this.#reads.share(ID, () =>
      this.#read().catch((error) => {
        const isAway = error instanceof GatewayError;
        if (!isAway || this.#known.length === 0) throw error;
        return this.#known;
      }));
  }

  /** The keys that are kept, once what is due is written. */
  async #read(): Promise<KeptKeys> {
    const { records, now } = this.#parts;
    const found = await records.get(KIND, ID);
    // What cannot be read is not there.
    const kept = keptKeys.safeParse(found?.record.data).data;
    this.#known = kept ?? this.#known;
    const pause = { now: now(), withinMs: WRITE_PAUSE_MS };
    if (isPending(this.#pausesUntil, pause)) {
      return this.#known.length > 0 ? this.#known : noKey();
    }
    const data = await this.#withDue(this.#known);
    if (data === kept) return kept;
    const { createdAt } = found?.record ?? { createdAt: now() };
    const place = { id: ID, sandboxId: "", organizationId: null };
    const record = { ...place, createdAt, expiresAt: null, data };
    const when = found ? { etag: found.etag } : "absent";
    this.#pausesUntil = now() + WRITE_PAUSE_MS;
    const written = await records.put(KIND, record, when);
    if (typeof written === "object") return this.#known = data;
    this.#pausesUntil = -Infinity; // another gateway was faster
    return await this.#read();
  }

  /** All sealed by the first secret, and one more if it is time for that, which signs at once if no other can. */
  async #withDue(kept: KeptKeys): Promise<KeptKeys> {
    const now = this.#parts.now();
    const opened = await this.#open(kept);
    const safe = await Promise.all(kept.map(async (each) => {
      const own = opened.find(({ sealed }) => sealed === each.sealed);
      if (own === undefined || own.isByFirst) return each;
      return { ...each, sealed: await this.#seal(own) };
    }));
    const canSign = this.#signing(opened) !== undefined;
    const nextFrom = (kept.at(-1)?.from ?? 0) + MONTH_MS;
    if (canSign && now < nextFrom - DAY_MS) {
      return safe.every((each, at) => each === kept[at]) ? kept : safe;
    }
    const from = canSign ? Math.max(nextFrom, now + DAY_MS) : now;
    const salt = opened.at(-1)?.salt ?? randomBytes(32).toString("base64url");
    const options = { extractable: true };
    const pair = await jose.generateKeyPair(ALGORITHM, options);
    const key = await jose.exportJWK(pair.privateKey);
    const kid = await jose.calculateJwkThumbprint(key);
    const { kty = "", crv = "", x = "", y = "" } = key;
    const published = { kty, crv, x, y, kid, alg: ALGORITHM, use: "sig" };
    const sealed = await this.#seal({ key, salt });
    return [...safe, { kid, from, published, sealed }].slice(-MAX_KEYS);
  }

  #signing(opened: readonly OpenedKey[]): OpenedKey | undefined {
    return opened.findLast(({ from }) => from <= this.#parts.now());
  }

  #seal({ key, salt }: Pick<OpenedKey, "key" | "salt">): Promise<string> {
    return this.#first.seal({ key, salt }, NEVER_MS);
  }

  /** The keys that can be used. */
  async #open(kept: KeptKeys): Promise<OpenedKey[]> {
    for (const each of kept) {
      const { kid, sealed } = each;
      if (this.#opened.get(kid)?.sealed === sealed) continue;
      const secrets = await this.#sealer.open(sealed);
      if (secrets === undefined) continue;
      const { key, salt } = secrets as Pick<OpenedKey, "key" | "salt">;
      const isByFirst = await this.#first.open(sealed) !== undefined;
      this.#opened.set(kid, { ...each, key, salt, isByFirst });
    }
    return kept.flatMap(({ kid }) => this.#opened.get(kid) ?? []);
  }
}

function noKey(): never {
  throw new GatewayError("records_unavailable", "No key could be written");
}
