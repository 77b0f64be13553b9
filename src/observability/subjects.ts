/**
 * What the log calls users (`LOG_SUBJECT`). By default that is a keyed hash of the `sub` that their provider knows them
 * by: it tells users apart, and who has the log cannot tell whom it means, nor try out names, without the gateway's
 * secret. Who has the secret finds a given user by `HMAC-SHA256(secret, "porthole-subject:" + sub)`.
 */
import { createHmac } from "node:crypto";
import type { Config } from "../config/config.ts";
import { jwtPart } from "../lib/jwt.ts";
import { Lru } from "../lib/lru.ts";

export interface SubjectsOptions {
  readonly mode: Config["log"]["subject"];
  readonly secret: string;
  readonly maxRemembered: number;
}

/** Length of a hash in base64url: 96 bits. */
const HASH_LENGTH = 16;

/** Longest `sub` (OpenID Connect Core section 2), characters. */
const MAX_LENGTH = 255;

export class Subjects {
  readonly #options: SubjectsOptions;
  readonly #names: Lru<string, string>;

  constructor(options: SubjectsOptions) {
    this.#options = options;
    this.#names = new Lru({ max: options.maxRemembered });
  }

  /** The name of the user with that `sub`; undefined if it is not known, or users are not named. */
  ofUser(sub: string | undefined): string | undefined {
    if (sub === undefined || this.#options.mode === "off") return undefined;
    if (this.#options.mode === "clear") return sub.slice(0, MAX_LENGTH);
    return this.#named(sub, () => this.#hash("porthole-subject", sub));
  }

  /** The name of who presents a bearer that Daytona has accepted: of a JWT, the user's; of an API key, always a hash. */
  ofBearer(token: string): string | undefined {
    if (this.#options.mode === "off") return undefined;
    return this.#named(token, () => {
      // Somebody else has verified the signature (RFC 7519 section 4.1.2).
      const sub = jwtPart(token, "claims")?.["sub"];
      const name = this.ofUser(typeof sub === "string" ? sub : undefined);
      return name ?? `key-${this.#hash("porthole-key", token)}`;
    });
  }

  #named(id: string, makeName: () => string): string {
    let name = this.#names.get(id);
    if (name === undefined) this.#names.set(id, name = makeName());
    return name;
  }

  #hash(purpose: string, text: string): string {
    return createHmac("sha256", this.#options.secret)
      .update(`${purpose}:${text}`)
      .digest("base64url").slice(0, HASH_LENGTH);
  }
}
