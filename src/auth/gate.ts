/**
 * The gate: decides who may reach a port of a sandbox. It tries all credentials in order, and one that fails does not
 * invalidate the next: an app's own Authorization header, for example, must not hide a good cookie.
 *
 * What each reason to admit a request is worth says a file of reasons/. Order and rules are the same whoever's Daytona it
 * stands in front of; only who answers differs (resolver/own/, resolver/hosted/, rule_access.ts), and `service.ts` chooses
 * that by the mode. What is known in process is decided on at once.
 */
import { GatewayError } from "../errors.ts";
import type { Awaitable } from "../lib/awaitable.ts";
import { type Budget, UNMETERED } from "../resolver/lookup_cache.ts";
import { sessionFor } from "./grants.ts";
import { judgeGrant } from "./reasons/grant.ts";
import type { Judgement, JudgeParts } from "./reasons/judgement.ts";
import { judgeBearer, judgePreviewToken } from "./reasons/member.ts";
import { judgePublic } from "./reasons/public.ts";
import type { Reason } from "./reasons/reason.ts";
import { judgeSession } from "./reasons/session.ts";
import { judgeSignedToken, judgeSignedUrl } from "./reasons/signed.ts";
import { Trial } from "./reasons/trial.ts";
import type { Session } from "./session.ts";
import type { RequestBudget, Throttle } from "./throttle.ts";
import type { Admission, Denial, GateRequest, Verdict } from "./verdict.ts";

/** What the gate decides by. */
export interface GateParts extends JudgeParts {
  readonly throttle: Throttle;
  /** True if logins are by the operator's own rule, which knows no members of Daytona's organizations. */
  readonly strangersLogIn?: boolean;
}

/** Decides on requests for sandboxes. */
export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /**
   * Decides on a request, at the expense of the client's budget if that takes lookups.
   * @throws {GatewayError} if a credential could not be judged and no other one is sufficient: as the API's client does,
   * `session_unavailable`, `login_unavailable`, or `too_many_…` if the client is over a limit
   */
  admit(request: GateRequest): Awaitable<Verdict> {
    const budget = this.#parts.throttle.budgetFor(request);
    const trial = new Trial(request, this.#parts.grants);
    const judged = this.#judge(trial, budget);
    return judged instanceof Promise
      ? judged.finally(() => {
        if (budget.hasLookups) request.progress.onMiss();
      })
      : judged;
  }

  /** True if what admitted a request shows that it is by a member of the sandbox's organization; a link is for anybody. */
  async isMember({ credential, isVisitor }: Admission): Promise<boolean> {
    if (isVisitor) return false;
    if (credential?.kind === "bearer") return true;
    const { sessions, strangersLogIn = false } = this.#parts;
    if (credential?.kind !== "session" || strangersLogIn) return false;
    const session = await sessions.open(credential.sealed);
    return session !== undefined && session.kind !== "key" &&
      session.kind !== "grant";
  }

  /**
   * Decides again on a request that was admitted. What admitted it is asked about first, and that is free; a client
   * may present whatever else it likes, which is asked about only if it is needed, and at the client's expense.
   * @throws {GatewayError} as {@linkcode Gate.admit} does, but only if what admitted the request cannot be judged now,
   * and nothing else is sufficient: anything else that cannot be judged is ignored
   */
  async readmit(request: GateRequest, admission: Admission): Promise<Verdict> {
    const { sandboxId, by, credential } = admission;
    // While the API is slow, requests may go by labels of before: what they have begun may not go on by these.
    const isOfPort = !request.isToolbox || request.takesGrants;
    if (isOfPort) await this.#parts.ports.refresh(sandboxId);
    const asked: Reason = credential ?? (by === "signed_token" ? by : "public");
    let failure: GatewayError | undefined;
    try {
      const again = await this.#judgeAgain(asked, request, admission);
      if (again?.kind === "allow") return again;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      failure = error;
    }
    const budget = this.#parts.throttle.budgetFor(request);
    const trial = new Trial(request, this.#parts.grants, asked, failure);
    return await this.#judge(trial, budget);
  }

  /** The verdict for the reason that admitted a request. */
  #judgeAgain(
    asked: Reason,
    request: GateRequest,
    { credential, grant }: Admission,
  ): Judgement {
    // What came with the request may have been for once, and a frame's session may have been renewed since.
    const isRenewed = credential?.kind === "grant" ||
      grant?.frame !== undefined;
    if (grant === undefined || credential === undefined || !isRenewed) {
      return this.#judgeReason(asked, request, UNMETERED);
    }
    const session = sessionFor(grant, request);
    return judgeGrant(this.#parts, session, credential, request, UNMETERED);
  }

  /** The verdict for the first reason that is good, by which the client's budget is settled. */
  #judge(trial: Trial, budget: RequestBudget): Awaitable<Verdict> {
    const judged = this.#firstGood(trial, budget);
    return judged instanceof Promise
      ? budget.settledBy(judged, isAdmission)
      : judged; // what is known at once costs nothing
  }

  /** Goes on at once from one reason to the next, as long as none has to be asked about. */
  #firstGood(trial: Trial, budget: Budget): Awaitable<Verdict> {
    for (;;) {
      const reason = trial.next();
      if (reason === undefined) return trial.conclude();
      const judged = this.#judgeReason(reason, trial.request, budget);
      if (judged instanceof Promise) {
        return judged.catch((error) => trial.fail(error)).then((verdict) =>
          trial.add(verdict) ?? this.#firstGood(trial, budget)
        );
      }
      const admission = trial.add(judged);
      if (admission !== undefined) return admission;
    }
  }

  #judgeReason(
    reason: Reason,
    request: GateRequest,
    budget: Budget,
  ): Judgement {
    const parts = this.#parts;
    if (reason === "public") {
      const judged = judgePublic(parts, request, budget);
      return request.isEmbedded
        ? this.#inFrame(judged, request, budget)
        : judged;
    }
    if (reason === "signed_token") {
      return judgeSignedToken(parts, request, budget);
    }
    switch (reason.kind) {
      case "grant":
        return judgeGrant(parts, reason, reason, request, budget);
      case "signed_url":
        return judgeSignedUrl(parts, reason, request, budget);
      case "session":
        return judgeSession(parts, reason, request, budget);
      case "bearer":
        return judgeBearer(parts, reason, request, budget);
      default:
        return judgePreviewToken(parts, reason, request, budget);
    }
  }

  /** The admission by a frame's session, whose terms count where nobody needs one, too. */
  async #inFrame(
    judged: Judgement,
    request: GateRequest,
    budget: Budget,
  ): Promise<Admission | Denial | undefined> {
    const verdict = await judged;
    const isAdmitted = verdict?.kind === "allow" &&
      verdict.failure === undefined;
    return isAdmitted
      ? await this.bySession(request, isOfFrame, budget) ?? verdict
      : verdict;
  }

  /** The admission by a session that is wanted, also where nobody needs one; undefined if there is none, or nobody can tell. */
  async bySession(
    request: GateRequest,
    isWanted: (session: Session) => boolean,
    budget: Budget = UNMETERED,
  ): Promise<Admission | undefined> {
    for (const credential of request.credentials()) {
      if (credential.kind !== "session") continue;
      const session = await this.#parts.sessions.open(credential.sealed);
      if (session === undefined || !isWanted(session)) continue;
      try {
        const verdict = await this.#judgeReason(credential, request, budget);
        if (verdict?.kind === "allow") return verdict;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
      }
    }
    return undefined;
  }
}

function isAdmission({ kind }: Verdict): boolean {
  return kind === "allow";
}

function isOfFrame(session: Session): boolean {
  return session.kind === "grant" && session.frame !== undefined;
}
