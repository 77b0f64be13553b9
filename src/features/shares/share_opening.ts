/** The exchange of a share's secret, after a press on its page, for the address that opens the preview. */
import { previewOrigin } from "../../address/preview_host.ts";
import type { GrantCodes } from "../../auth/grant_codes.ts";
import type { Grant } from "../../auth/grants.ts";
import { sealedLogins } from "../../auth/login_cookies.ts";
import { isAllowed } from "../../auth/login_rule.ts";
import { GRANT_PARAMETER } from "../../auth/preview_token.ts";
import type { ApiRequest } from "../../control/api/caller.ts";
import type { Kept } from "../../control/api/record_routes.ts";
import { ownOrigin } from "../../control/route.ts";
import {
  type ErrorAdvice,
  type ErrorCode,
  GatewayError,
} from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { withParameter } from "../../http/query_parameter.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { SecretHashes } from "../../lib/secret_hashes.ts";
import type { Records } from "../../records/records.ts";
import type { StoredRecord } from "../../records/stored_record.ts";
import type { PasscodeTries } from "./passcode_tries.ts";
import { bytesOf, type KeptShare, SHARES } from "./share_kind.ts";

type ShareRecord = StoredRecord<Kept<KeptShare>>;

/** What a press sends. */
interface Press {
  readonly id: string;
  readonly secret: string;
  readonly passcode?: string | undefined;
}

export interface ShareParts extends FeatureParts {
  readonly hashes: Pick<SecretHashes, "match">;
  readonly codes: Pick<GrantCodes, "issue">;
  readonly tries: Pick<PasscodeTries, "take" | "giveBack">;
}

/** Refusals that ask for more: they are free. */
const ASKS: readonly ErrorCode[] = ["login_required", "passcode_required"];

/**
 * The address that opens the preview, once and within a minute, for the page of this very host.
 * @throws {GatewayError} as a share is refused: `share_invalid`, `share_used_up`, `share_shut`, `share_for_others`, `passcode_wrong`,
 * `passcode_tries`, and those that ask for more; `too_many_refusals`, `login_unavailable`, `records_unavailable`
 */
export async function openShare(
  request: ApiRequest,
  press: Press,
  parts: ShareParts,
): Promise<string> {
  const { records, throttle, accessEvents, metrics } = parts;
  const { requestId, clientAddress } = request.env;
  const budget = throttle.budgetFor({ clientAddress, isSentByPage: false });
  let found: ShareRecord | undefined;
  async function open(): Promise<string | GatewayError> {
    budget.spend("store"); // whether it is in memory or not
    found = (await records.get(SHARES, press.id))?.record;
    return found === undefined
      ? refusal("share_invalid")
      : await opened(found, press, request, parts);
  }
  const outcome = await budget.settledBy(
    open(),
    (it) => typeof it === "string" || ASKS.includes(it.code),
  );
  if (typeof outcome === "string") return outcome;
  const { code } = outcome;
  if (ASKS.includes(code)) throw outcome;
  metrics.grant("share", "refused");
  const client = clientKey(clientAddress);
  const facts = found && factsOf(found);
  accessEvents.refused({ requestId, client, code, ...facts });
  throw outcome;
}

/** The address, or why there is none. */
async function opened(
  share: ShareRecord,
  { id, secret, passcode }: Press,
  request: ApiRequest,
  parts: ShareParts,
): Promise<string | GatewayError> {
  const { sandboxId, data: { own } } = share;
  const { port, path, secretHash, emails, usesLeft } = own;
  if (!parts.hashes.match(bytesOf("secret", id, secret), secretHash)) {
    return refusal("share_invalid");
  }
  if (usesLeft === 0) return refusal("share_used_up");
  const visitor = emails === null
    ? {}
    : await visitorOf(request, emails, parts);
  if (visitor instanceof GatewayError) return visitor;
  const { clientAddress, authority } = request.env;
  const refused = await checkPasscode(share, passcode, clientAddress, parts) ??
    await takeUse(share, parts.records);
  if (refused !== undefined) return refused;
  const label = sandboxId.toLowerCase();
  const host = { port, label, authoritySuffix: authority.toLowerCase() };
  const code = await parts.codes.issue({ id, sandboxId, port, ...visitor });
  const [target = "/", ...fragment] = path.split(/(?=#)/);
  const url = previewOrigin(host, parts.scheme) + target;
  return withParameter(url, GRANT_PARAMETER, code) + fragment.join("");
}

/** Who has logged in with one of these addresses; otherwise, why nobody has. Throws if nobody can tell now. */
async function visitorOf(
  { req: { raw }, env }: ApiRequest,
  emails: readonly string[],
  { cookies, sessions, logins, login, subjects, scheme }: ShareParts,
): Promise<Pick<Grant, "subject" | "user"> | GatewayError> {
  if (login.state !== "on") {
    throw new GatewayError("login_unavailable", "No provider is known");
  }
  const sent = raw.headers.get("cookie") ?? "";
  const rule = { emails, domains: [], groups: [] };
  let isOther = false;
  let failure: unknown;
  // A login for a sandbox is none here: its cookie may be another sandbox's page's.
  for (const sealed of sealedLogins(sent, cookies.userSessionPrefix)) {
    const session = await sessions.open(sealed);
    if (session?.kind !== "user") continue;
    try {
      const { identity, issuer } = await logins.userOf(session) ?? {};
      if (identity !== undefined && isAllowed(rule, identity)) {
        const { subject } = identity;
        const user = [issuer ?? "", subject] as const;
        return { subject: subjects.ofUser(subject), user };
      }
      isOther ||= identity !== undefined;
    } catch (error) {
      failure ??= error; // another one may be good
    }
  }
  if (failure !== undefined) throw failure;
  if (isOther) return refusal("share_for_others");
  const page = ownOrigin(env, scheme) + new URL(raw.url).pathname;
  const loginUrl = `/login?return_to=${encodeURIComponent(page)}`;
  return refusal("login_required", { loginUrl });
}

/** Why the passcode is not good; undefined if it is, or none is needed. */
async function checkPasscode(
  share: ShareRecord,
  passcode: string | undefined,
  address: string,
  { hashes, tries, records }: ShareParts,
): Promise<GatewayError | undefined> {
  const { passcodeHash, isShut } = share.data.own;
  if (passcodeHash === null) return undefined;
  if (isShut) return refusal("share_shut");
  if (passcode === undefined) return refusal("passcode_required");
  const waitMs = await tries.take(share, address);
  if (waitMs === "shut") return await shut(share, records);
  if (waitMs !== undefined) {
    const retryAfterSec = Math.ceil(waitMs / 1000);
    return new GatewayError("passcode_tries", "Too many", { retryAfterSec });
  }
  if (!hashes.match(bytesOf("passcode", share.id, passcode), passcodeHash)) {
    return refusal("passcode_wrong");
  }
  await tries.giveBack(share, address);
  return undefined;
}

/** Shuts a share for good, for whoever has the right passcode, too. */
async function shut(
  { id }: ShareRecord,
  records: Pick<Records, "update">,
): Promise<GatewayError> {
  await records.update(SHARES, id, (share) => {
    const own = { ...share.data.own, isShut: true };
    return { ...share, data: { ...share.data, own } };
  });
  return refusal("share_shut");
}

/** Takes one of its uses, at whichever gateway the others are taken; what was found may be 5 s old. */
async function takeUse(
  { id, data: { own: { uses } } }: ShareRecord,
  records: Pick<Records, "update">,
): Promise<GatewayError | undefined> {
  if (uses === null) return undefined;
  let left: number | null = null;
  const taken = await records.update(SHARES, id, (share) => {
    const { own } = share.data;
    left = own.usesLeft;
    if (left === null || left === 0) return undefined;
    const data = { ...share.data, own: { ...own, usesLeft: left - 1 } };
    return { ...share, data };
  });
  if (taken === "full") return refusal("records_full"); // it was there
  if (taken !== undefined) return undefined;
  return refusal(left === 0 ? "share_used_up" : "share_invalid");
}

/** What the log is told of a share. */
function factsOf({ id, sandboxId, data }: ShareRecord) {
  const { port } = data.own;
  return { sandboxId, port, grant: { via: "share", id } as const };
}

function refusal(code: ErrorCode, advice: ErrorAdvice = {}): GatewayError {
  return new GatewayError(code, "A share is not opened", { advice });
}
