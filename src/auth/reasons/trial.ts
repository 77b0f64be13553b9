/** One request before the gate: its reasons one after the other, and what was found of those that are not good. */
import { isAlwaysPrivate } from "../../address/grammar.ts";
import { ERRORS } from "../../error_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { Credential } from "../credentials.ts";
import type { GrantAccess } from "../grant_access.ts";
import type { Admission, Denial, GateRequest, Verdict } from "../verdict.ts";
import { isOurs, isSame, isTokenShaped, type Reason } from "./reason.ts";

/** What denies, or cannot be judged, counts last: another reason may be good. A secret that is not good says least. */
export class Trial {
  readonly request: GateRequest;
  readonly #grants: Pick<GrantAccess, "recognizes">;
  readonly #asked: Reason | undefined;
  /** How many of its reasons were named. */
  #count = 0;
  #credentials: readonly Credential[] | undefined;
  #failure: GatewayError | undefined;
  #denial: Denial | undefined;
  #refused: Denial | undefined;
  #isOursRefused = false;

  /** `asked` has admitted the request before, and does not now; `failure` says why it cannot be judged. */
  constructor(
    request: GateRequest,
    grants: Pick<GrantAccess, "recognizes">,
    asked?: Reason,
    failure?: GatewayError,
  ) {
    this.request = request;
    this.#grants = grants;
    this.#asked = asked;
    this.#failure = failure;
  }

  /** The next reason that may be good and was not asked about already; undefined after the last. */
  next(): Reason | undefined {
    for (;;) {
      const count = this.#count++;
      const reason = count === 0
        ? isTokenShaped(this.request) && "signed_token"
        : count === 1
        ? mayBePublic(this.request) && "public"
        : this.#credential(count - 2);
      if (reason === undefined) return undefined;
      if (reason === false) continue;
      this.#isOursRefused ||= isOurs(reason, this.request);
      if (this.#asked === undefined || !isSame(this.#asked, reason)) {
        return reason;
      }
    }
  }

  #credential(index: number): Reason | undefined {
    const credential = (this.#credentials ??= this.request.credentials())
      .at(index);
    // A bearer that is a grant is never shown to the API.
    return credential?.kind === "bearer" &&
        this.#grants.recognizes(credential.token)
      ? { kind: "grant", secret: credential.token, place: "bearer" }
      : credential;
  }

  /** Notes the verdict for a reason; returns it if it admits. */
  add(verdict: Admission | Denial | undefined): Admission | undefined {
    if (verdict === undefined) return undefined;
    if (verdict.kind === "allow") return verdict;
    const { code, ancestors } = verdict;
    const isHeard = ancestors !== undefined; // they wait to hear of it
    if (ERRORS[code].status !== 401) {
      this.#denial = isHeard ? verdict : this.#denial ?? verdict;
    } else this.#refused = isHeard ? verdict : this.#refused ?? verdict;
    return undefined;
  }

  /** Notes that a reason cannot be judged now; throws what nobody expects. */
  fail(error: unknown): undefined {
    if (!(error instanceof GatewayError)) throw error;
    if (this.#asked === undefined) this.#failure ??= error;
    return undefined;
  }

  /**
   * The verdict where no reason is good.
   * @throws {GatewayError} if one could not be judged
   */
  conclude(): Verdict {
    if (this.#denial !== undefined) return this.#denial;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#refused !== undefined) return this.#refused;
    if (isTokenShaped(this.request)) {
      return { kind: "deny", code: "signed_token_invalid" };
    }
    const code = this.#isOursRefused ? "credential_invalid" : "login_required";
    return { kind: "login", code };
  }
}

function mayBePublic({ port, isForMembers }: GateRequest): boolean {
  return !isAlwaysPrivate(port) && !isForMembers;
}
