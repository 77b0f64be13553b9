/** How the entry of a host changes. An organization has a host once; where nobody says whose a sandbox is, that one has. */
import { GatewayError } from "../../errors.ts";
import { newProof } from "./domain_proof.ts";
import type { KeptName, NameEntry } from "./kept_name.ts";

/** Whose a name is. */
export type NameOwner = Pick<KeptName, "sandboxId" | "organizationId">;

/** What a member would have. */
interface NameWish
  extends Pick<KeptName, "host" | "kind" | "port" | "createdBy">, NameOwner {
  readonly namesDomain: string;
}

/** Most claims to a host, of each of which the API is asked: the oldest gives way, which nobody needs who verifies at once. */
const MAX_CLAIMS = 8;

const DAY_MS = 86_400_000;

/** A claim that nobody has verified is forgotten after that time, ms. */
const CLAIM_MS = 7 * DAY_MS;

/** For that time, nobody else may have what was given up, ms. */
const TOMBSTONE_MS = 30 * DAY_MS;

/** What owners are told apart by: the organization, or the sandbox of one that is not known. */
export function ownerKeyOf(owner: NameOwner): string {
  return owner.organizationId ?? owner.sandboxId;
}

/** What is neither free nor given up: who holds the host, and then who would. */
export function namesIn({ holder, claims }: NameEntry): readonly KeptName[] {
  return holder && holder.state !== "released" ? [holder, ...claims] : claims;
}

/** What of that is an owner's; undefined if nothing is. */
export function ownIn(
  entry: NameEntry,
  owner: NameOwner,
): KeptName | undefined {
  return namesIn(entry).find((each) => isSameOwner(each, owner));
}

/** Throws `name_taken` if somebody else holds the host, or has given it up lately. */
export function checkNotTaken({ holder }: NameEntry, owner: NameOwner): void {
  if (holder && !isSameOwner(holder, owner)) throw nameTaken();
}

/** The refusal of a host that somebody else has. */
export function nameTaken(): GatewayError {
  return new GatewayError("name_taken", "Somebody else's");
}

/** The name of a wish: what its owner has already leads elsewhere then, and what it gave up it has back as it was. */
export function wishedName(
  entry: NameEntry,
  { namesDomain, ...wish }: NameWish,
  now: number,
): KeptName {
  const before = ownIn(entry, wish);
  const known = before ?? entry.holder;
  const { sandboxId, port } = wish;
  const organizationId = wish.organizationId ?? known?.organizationId ?? null;
  const target = { sandboxId, port, organizationId };
  if (before !== undefined && before.state !== "pending") {
    return { ...before, ...target };
  }
  const isDomain = (before ?? wish).kind === "domain";
  return {
    ...wish,
    state: isDomain ? "pending" : "active",
    createdAt: now,
    proof: isDomain ? known?.proof ?? newProof(namesDomain) : null,
    checkedAt: null,
    failingSince: null,
    lastError: null,
    ...before,
    ...target,
    endsAt: isDomain ? now + CLAIM_MS : null,
  };
}

/** The entry with a name in place of what its owner had; a domain that is pending takes nothing from whoever holds it. */
export function withName(entry: NameEntry, name: KeptName): NameEntry {
  const claims = entry.claims.filter((each) => !isSameOwner(each, name));
  return name.state === "pending"
    ? { ...entry, claims: [...claims, name].slice(-MAX_CLAIMS) }
    : { holder: name, claims };
}

/** The entry after an owner has given up a name of its own. */
export function withoutName(
  entry: NameEntry,
  name: KeptName,
  now: number,
): NameEntry {
  const claims = entry.claims.filter((each) => !isSameOwner(each, name));
  if (name.state === "pending") return { ...entry, claims };
  const endsAt = now + TOMBSTONE_MS;
  return { holder: { ...name, state: "released", endsAt }, claims };
}

function isSameOwner(one: NameOwner, other: NameOwner): boolean {
  return one.sandboxId === other.sandboxId ||
    one.organizationId !== null && one.organizationId === other.organizationId;
}
