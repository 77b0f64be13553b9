/** The exchange of a share's secret, after a press on its page, for the address that opens the preview. */
import { previewOrigin } from "../../address/preview_host.ts";
import { MAX_SESSION_COOKIES } from "../../auth/credentials.ts";
import { isAllowed } from "../../auth/login_rule.ts";
import type { ApiRequest } from "../../control/api/caller.ts";
import { keptIn } from "../../control/api/record_routes.ts";
import { ownOrigin } from "../../control/route.ts";
import {
  type ErrorAdvice,
  type ErrorCode,
  GatewayError,
} from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { cookiesByName } from "../../http/cookies.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { VersionedRecord } from "../../records/stored_record.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { PasscodeTries } from "./passcode_tries.ts";
import type { ShareCodes } from "./share_codes.ts";
import { type KeptShare, SHARES } from "./share_kind.ts";
import type { ShareSecrets } from "./share_secrets.ts";

/** What a press sends. */
export interface Press {
  readonly id: string;
  readonly secret: string;
  readonly passcode?: string | undefined;
}

export interface ShareOpeningParts extends FeatureParts {
  readonly secrets: Pick<ShareSecrets, "match">;
  readonly codes: Pick<ShareCodes, "addTo">;
  readonly tries: Pick<PasscodeTries, "take" | "giveBack">;
}

/** Refusals that ask for more: a client causes as many as it likes, since it has the secret. */
const ASKS: readonly ErrorCode[] = ["login_required", "passcode_required"];

/** Most sessions of a browser that are looked at. */
const MAX_SESSIONS = 24;

/**
 * The address that opens the preview, once and within a minute.
 * @throws {GatewayError} as a share is refused: `share_invalid`, `share_used_up`, `login_required`, `share_for_others`,
 * `passcode_required`, `passcode_wrong`, `passcode_tries`; `too_many_refusals`, `login_unavailable`,
 * `records_unavailable`
 */
export async function openShare(
  request: ApiRequest,
  press: Press,
  parts: ShareOpeningParts,
): Promise<string> {
  const { throttle, accessEvents, metrics } = parts;
  const { env: { requestId, clientAddress }, req: { raw } } = request;
  const client = { clientAddress, isSentByPage: isSentByPage(raw.headers) };
  const budget = throttle.budgetFor(client);
  const opening = new Opening(request, parts);
  const outcome = await budget.settledBy(
    opening.outcomeOf(press, budget),
    (it) => typeof it === "string" || ASKS.includes(it.code),
  );
  if (typeof outcome === "string") return outcome;
  const { code } = outcome;
  if (!ASKS.includes(code)) {
    metrics.grant("share", "refused");
    const facts = { requestId, client: clientKey(clientAddress), code };
    accessEvents.refused({ ...facts, ...opening.facts });
  }
  throw outcome;
}

/** One press. */
class Opening {
  readonly #request: ApiRequest;
  readonly #parts: ShareOpeningParts;
  /** The share, once whoever presses is known to name one. */
  #found: VersionedRecord | undefined;

  constructor(request: ApiRequest, parts: ShareOpeningParts) {
    this.#request = request;
    this.#parts = parts;
  }

  /** What the log is told of the share. */
  get facts() {
    if (this.#found === undefined) return {};
    const { record } = this.#found;
    const { id, sandboxId } = record;
    const { port } = keptIn<KeptShare>(record).own;
    return { sandboxId, port, grant: { via: "share", id } as const };
  }

  /** The address, or why there is none. */
  async outcomeOf(
    { id, secret, passcode }: Press,
    budget: Budget,
  ): Promise<string | GatewayError> {
    const { records, secrets, codes, scheme } = this.#parts;
    budget.spend("store"); // whether it is in memory or not
    const found = this.#found = await records.get(SHARES, id);
    if (found === undefined) return refusal("share_invalid");
    const { record } = found;
    const { own } = keptIn<KeptShare>(record);
    if (!secrets.match("secret", id, secret, own.secretHash)) {
      return refusal("share_invalid");
    }
    if (own.usesLeft === 0) return refusal("share_used_up");
    const visitor = own.emails === null ? {} : await this.#visitor(own.emails);
    if (visitor instanceof GatewayError) return visitor;
    const refused = await this.#checkPasscode(found, passcode) ??
      await this.#takeUse(found);
    if (refused !== undefined) return refused;
    const { sandboxId } = record;
    const { port, path } = own;
    const label = sandboxId.toLowerCase();
    const authoritySuffix = this.#request.env.authority.toLowerCase();
    const url = previewOrigin({ port, label, authoritySuffix }, scheme) + path;
    return await codes.addTo(url, { id, sandboxId, port, ...visitor });
  }

  /** Who has logged in with one of these addresses. */
  async #visitor(
    emails: readonly string[],
  ): Promise<{ readonly subject?: string | undefined } | GatewayError> {
    const { cookies, sessions, logins, login, subjects } = this.#parts;
    if (login.state !== "on") {
      return new GatewayError("login_unavailable", "No provider is known");
    }
    const { req: { raw }, env } = this.#request;
    const sent = raw.headers.get("cookie") ?? "";
    const sealed = [cookies.loginSessionPrefix, cookies.userSessionPrefix]
      .flatMap((prefix) => [...cookiesByName(sent, prefix).values()])
      .flatMap((values) => values.slice(-MAX_SESSION_COOKIES));
    const rule = { emails, domains: [], groups: [] };
    let isOther = false;
    for (const each of sealed.slice(-MAX_SESSIONS)) {
      const session = await sessions.open(each);
      if (session?.kind !== "login" && session?.kind !== "user") continue;
      const user = await logins.userOf(session);
      if (user?.identity === undefined) continue;
      if (isAllowed(rule, user.identity)) {
        return { subject: subjects.ofUser(user.subject) };
      }
      isOther = true;
    }
    if (isOther) return refusal("share_for_others");
    const page = `${ownOrigin(env, this.#parts.scheme)}${
      new URL(raw.url).pathname
    }`;
    const loginUrl = `/login?return_to=${encodeURIComponent(page)}`;
    return refusal("login_required", { loginUrl });
  }

  /** Why the passcode is not good; undefined if it is, or none is needed. */
  async #checkPasscode(
    { record }: VersionedRecord,
    passcode: string | undefined,
  ): Promise<GatewayError | undefined> {
    const { secrets, tries } = this.#parts;
    const { passcodeHash } = keptIn<KeptShare>(record).own;
    if (passcodeHash === null) return undefined;
    if (passcode === undefined) return refusal("passcode_required");
    const { clientAddress } = this.#request.env;
    const waitMs = await tries.take(record, clientAddress);
    if (waitMs !== undefined) {
      const retryAfterSec = Math.ceil(waitMs / 1000);
      return new GatewayError("passcode_tries", "Over", { retryAfterSec });
    }
    if (!secrets.match("passcode", record.id, passcode, passcodeHash)) {
      return refusal("passcode_wrong");
    }
    await tries.giveBack(record, clientAddress);
    return undefined;
  }

  /** Takes one of its uses, at whichever gateway the others are taken; what was found may be 5 s old. */
  async #takeUse(found: VersionedRecord): Promise<GatewayError | undefined> {
    const { records } = this.#parts;
    let latest: VersionedRecord | undefined = found;
    while (latest !== undefined) {
      const { record, etag } = latest;
      const kept = keptIn<KeptShare>(record);
      const { usesLeft } = kept.own;
      if (usesLeft === null) return undefined;
      if (usesLeft === 0) return refusal("share_used_up");
      const data = { ...kept, own: { ...kept.own, usesLeft: usesLeft - 1 } };
      const written = await records.put(SHARES, { ...record, data }, { etag });
      if (written !== "conflict") return undefined;
      latest = await records.get(SHARES, record.id);
    }
    return refusal("share_invalid");
  }
}

function refusal(code: ErrorCode, advice: ErrorAdvice = {}): GatewayError {
  return new GatewayError(code, "A share is not opened", { advice });
}
