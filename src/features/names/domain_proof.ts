/** What the DNS says about whose a custom domain is: a TXT record says so, and the domain's CNAME is a target of its own. */
import { describeError } from "../../lib/describe_error.ts";
import { loggerFor } from "../../observability/log.ts";
import type { KeptName } from "./kept_name.ts";

/** What the DNS must say. */
type Proof = NonNullable<KeptName["proof"]>;

/** Asks the DNS. */
export type ResolveDns = typeof Deno.resolveDns;

/** What it says; an outage tells nothing about the domain. */
export type ProofResult =
  | { readonly ok: true }
  | {
    readonly ok: false;
    /** In one line, with nothing in it that the DNS said. */
    readonly error: string;
    readonly isOutage: boolean;
  };

/** The longest wait for the DNS, ms. */
const TIMEOUT_MS = 5_000;

/** Most records of an answer that are looked at. */
const MAX_RECORDS = 20;

const logger = loggerFor("names");

/** Where the TXT record of a domain is. */
export function txtNameOf(host: string): string {
  return `_porthole.${host}`;
}

/** A new nonce, and a new target below the domain of names: neither an alias nor a preview host can be one. */
export function newProof(namesDomain: string): Proof {
  const random = (length: number) =>
    crypto.getRandomValues(new Uint8Array(length));
  const nonce = random(16)
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const label = `0${random(13).toHex().slice(1)}`;
  return { nonce, target: `${label}.${namesDomain}` };
}

/** Asks the DNS about a domain; never rejects. */
export async function proofOf(
  host: string,
  { nonce, target }: Proof,
  resolve: ResolveDns,
): Promise<ProofResult> {
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS) };
  const txtName = txtNameOf(host);
  // A name that ends in a dot is looked for as it is, and in no domain of this machine.
  const problems = await Promise.all([
    problemOf("TXT", txtName, async () => {
      const records = await resolve(`${txtName}.`, "TXT", options);
      return records.slice(0, MAX_RECORDS)
        .some((strings) => strings.join("") === nonce);
    }),
    problemOf("CNAME", host, async () => {
      const names = await resolve(`${host}.`, "CNAME", options);
      return names.slice(0, MAX_RECORDS)
        .some((name) => name.toLowerCase().replace(/\.$/, "") === target);
    }),
  ]);
  const found = problems.filter((each) => each !== undefined);
  if (found.length === 0) return { ok: true };
  const error = found.map(({ error }) => error).join("; ");
  const isSure = found.some(({ isMissing }) => isMissing) &&
    await isResolving(host, resolve, options);
  return { ok: false, error, isOutage: !isSure };
}

/** Why there seems to be no such record; undefined if there is one. */
async function problemOf(
  type: "TXT" | "CNAME",
  name: string,
  isThere: () => Promise<boolean>,
): Promise<{ error: string; isMissing: boolean } | undefined> {
  try {
    if (await isThere()) return undefined;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      const facts = { type, name, reason: describeError(error) };
      logger.warn("no answer of the DNS", facts);
      return { error: `no answer about ${type} at ${name}`, isMissing: false };
    }
  }
  return { error: `no such ${type} at ${name}`, isMissing: true };
}

/**
 * True if our resolver works: it tells of a host's top-level domain. For this runtime, a server that fails (RFC 1035
 * section 4.1.1) has not found anything, so an outage of the owner's own DNS may count as missing: it has three days' grace.
 * Zones further down prove no more, since a domain that nobody has any more is in none.
 */
function isResolving(
  host: string,
  resolve: ResolveDns,
  options: Deno.ResolveDnsOptions,
): Promise<boolean> {
  const topLevel = host.slice(host.lastIndexOf(".") + 1);
  return resolve(`${topLevel}.`, "SOA", options)
    .then(() => true, () => false);
}
