/** Who calls the fake API, and what the real one lets whom ask. */
import { type ApiState, ORGANIZATION, type Service } from "./api_state.ts";

/** The owner of a bearer. */
export type Caller =
  | ({ readonly kind: "service" } & Service)
  | User;

/** A person, or a program with a person's key. */
export interface User {
  readonly kind: "api-key" | "jwt";
  /** The API key, or the subject of the JWT. */
  readonly id: string;
  /** The ids of what the user has access to. */
  readonly visible: ReadonlySet<string>;
  /** An API key belongs to one organization. */
  readonly organizations: ReadonlySet<string>;
  /** Undefined for a JWT, whose user may do everything. */
  readonly permissions?: readonly string[];
}

/** Who may call an operation: `anyone` needs no bearer. */
export type Callers = "anyone" | Guard;

interface Guard {
  readonly services: readonly Service["role"][];
  readonly users: readonly ("api-key" | "jwt")[];
  /** True if a JWT has to come with the organization that is meant. */
  readonly inOrganization?: boolean;
  /** What an API key must be permitted. */
  readonly permission?: string;
}

/** Only proxies, of the installation or of a region. */
export const PROXIES: Guard = {
  services: ["proxy", "region-proxy"],
  users: [],
};

/** Proxies, and the SSH gateway. */
export const GATEWAYS: Guard = {
  services: ["proxy", "region-proxy", "ssh-gateway"],
  users: [],
};

/** Users, in one of their organizations. */
export const MEMBERS: Guard = {
  services: [],
  users: ["api-key", "jwt"],
  inOrganization: true,
};

/** Users in one of their organizations who may start and stop its sandboxes. */
export const WRITERS: Guard = { ...MEMBERS, permission: "write:sandboxes" };

/** Everybody with a bearer that is valid. */
export const ANY_BEARER: Guard = {
  services: [...GATEWAYS.services, "runner", "otel-collector", "health-check"],
  users: MEMBERS.users,
};

/** The owner of the bearer in these headers; undefined if there is none, or it is not valid. */
export async function callerOf(
  headers: Headers,
  { services, users, runners, subjects, apiKeys, memberships }: ApiState,
  subjectOf: (accessToken: string) => Promise<string | undefined>,
): Promise<Caller | undefined> {
  const authorization = headers.get("authorization") ?? "";
  const bearer = /^Bearer (.+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) return undefined;
  const service = services.get(bearer);
  if (service !== undefined) return { kind: "service", ...service };
  const ofKey = users.get(bearer);
  if (ofKey !== undefined) {
    const { organizationId = ORGANIZATION, permissions = [] } =
      apiKeys.get(bearer) ?? {};
    return {
      kind: "api-key",
      id: bearer,
      visible: ofKey,
      organizations: new Set([organizationId]),
      permissions,
    };
  }
  for (const { apiKey } of runners.values()) {
    if (apiKey === bearer) return { kind: "service", role: "runner" };
  }
  const id = await subjectOf(bearer) ?? "";
  const visible = subjects.get(id);
  const organizations = memberships.get(id) ?? new Set([ORGANIZATION]);
  return visible && { kind: "jwt", id, visible, organizations };
}

/** Why a caller may not call an operation; undefined if it may. */
export function callerProblem(
  callers: Callers,
  caller: Caller | undefined,
  headers: Headers,
): { readonly refused: 401 | 403; readonly message: string } | undefined {
  if (callers === "anyone") return undefined;
  if (
    caller === undefined ||
    caller.kind === "jwt" && !callers.users.includes("jwt")
  ) return { refused: 401, message: "Invalid credentials" };
  const mayCall = caller.kind === "service"
    ? callers.services.includes(caller.role)
    : callers.users.includes(caller.kind);
  const isComplete = caller.kind !== "jwt" || !callers.inOrganization ||
    caller.organizations.has(headers.get("x-daytona-organization-id") ?? "");
  if (mayCall && isComplete) {
    const { permission } = callers;
    const isPermitted = permission === undefined ||
      caller.kind !== "api-key" ||
      caller.permissions?.includes(permission) === true;
    return isPermitted ? undefined : { refused: 403, message: "Access denied" };
  }
  const message = callers === PROXIES || callers === GATEWAYS
    ? "Forbidden resource"
    : "Invalid authentication context";
  return { refused: 403, message };
}
