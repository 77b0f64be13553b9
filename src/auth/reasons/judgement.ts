/** What judges of the reasons to admit a request share: their verdict, and what they ask. */
import type { SessionScope } from "../../config/config.ts";
import type { Awaitable } from "../../lib/awaitable.ts";
import type { Subjects } from "../../observability/subjects.ts";
import type { Budget } from "../../resolver/lookup_cache.ts";
import type { Access } from "../../resolver/own/access.ts";
import type { SandboxResolver } from "../../resolver/own/sandboxes.ts";
import type { GrantAccess } from "../grant_access.ts";
import type { LoginSessions } from "../login_sessions.ts";
import type { PortPolicy } from "../port_policy.ts";
import type { SessionSealer } from "../session.ts";
import type { Admission, Denial } from "../verdict.ts";

/** The verdict on a request for one reason; undefined if the reason is not good, and says nothing either. */
export type Judgement = Awaitable<Admission | Denial | undefined>;

/** The caches and sessions that reasons are judged by. */
export interface JudgeParts {
  readonly sandboxes: Pick<SandboxResolver, "isPublic" | "sandboxIdOf"> & {
    /** Null if there is no such sandbox; where names count, and the rule for logins says nothing of sandboxes. */
    sandboxOf?(
      label: string,
      budget: Budget,
    ): Awaitable<{ readonly id: string } | null | undefined>;
  };
  readonly access: Access;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<
    LoginSessions,
    "grantsAccess" | "opens" | "visits" | "subjectOf"
  >;
  readonly grants: Pick<GrantAccess, "recognizes" | "judge">;
  readonly ports: Pick<PortPolicy, "labelsOpen" | "accessTo" | "refresh">;
  /** False if preview tokens open apps only, and none of Daytona's own services. */
  readonly toolboxTakesPreviewToken?: boolean;
  /** What the log calls users. */
  readonly subjects: Pick<Subjects, "ofUser" | "ofBearer">;
  /** What logins are for: a session for anything else opens nothing. */
  readonly scope: SessionScope;
}
