/** What the gate asks about machine tokens: each opens what its record says, as long as there is that record. */
import type { Grant, GrantSource } from "../../auth/grants.ts";
import type { Kept } from "../../control/api/record_routes.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import type { SecretHashes } from "../../lib/secret_hashes.ts";
import type { Records } from "../../records/records.ts";
import type {
  StoredRecord,
  VersionedRecord,
} from "../../records/stored_record.ts";
import { type KeptToken, TOKENS } from "./token_kind.ts";
import { isMachineToken, parseToken } from "./token_secret.ts";

/** A use is noted once in that time, ms: each note is a write. */
const NOTED_EVERY_MS = 60 * 60 * 1000;

/** Most tokens whose last note is remembered. */
const MAX_NOTED = 10_000;

interface GrantsParts extends Pick<FeatureParts, "background" | "now"> {
  readonly records: Pick<Records, "get" | "put">;
}

/** The source of their grants. */
export function tokenGrants(
  hashes: SecretHashes,
  { records, background, now }: GrantsParts,
): GrantSource {
  const life = { max: MAX_NOTED, ttlMs: NOTED_EVERY_MS, now };
  /** Records whose use this process has noted lately, or has tried to. */
  const noted = new ExpiringLru<string, true>(life);

  /** Notes the use, unless one was noted lately; that another gateway has done so meanwhile is as good. */
  function note({ record, etag }: VersionedRecord<Kept<KeptToken>>): void {
    const { id, data: kept } = record;
    const { own } = kept;
    const isRecent = now() - (own.lastUsedAt ?? -Infinity) < NOTED_EVERY_MS;
    if (isRecent || noted.has(id)) return;
    noted.set(id, true);
    const data = { ...kept, own: { ...own, lastUsedAt: now() } };
    const written = records.put(TOKENS, { ...record, data }, { etag });
    background.add("note the use of a token", written);
  }

  return {
    via: ["token"],
    recognizes: isMachineToken,

    async open({ secret }, { sandboxId, port }, budget) {
      const token = parseToken(secret);
      if (token === undefined) return undefined;
      const spend = () => budget.spend("store");
      const found = await records.get(TOKENS, token.id, spend);
      if (found === undefined) return undefined;
      const { own } = found.record.data;
      if (!hashes.match(token.bytes, own.secretHash)) return undefined;
      const grant = grantOf(found.record);
      if (grant.sandboxId !== sandboxId) return undefined;
      if (grant.ports.includes(port)) note(found);
      return grant;
    },

    async reopen({ id }, budget) {
      const found = await records.get(TOKENS, id, () => budget.spend("store"));
      return found && grantOf(found.record);
    },
  };
}

function grantOf(
  { id, sandboxId, expiresAt, data }: StoredRecord<Kept<KeptToken>>,
): Grant {
  const { ports, methods } = data.own;
  return {
    via: "token",
    id,
    sandboxId,
    ports,
    methods: methods ?? undefined,
    expiresAt: expiresAt ?? Infinity,
  };
}
