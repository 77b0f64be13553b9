/** A request at the gate: what it presents, what the gate says to it, and how to ask the gate again. */
import { splitAuthKey } from "../auth/auth_key.ts";
import {
  presentedCredentials,
  toolboxCredentials,
} from "../auth/credentials.ts";
import type { Gate, Verdict } from "../auth/gate.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { Trail } from "../observability/trail.ts";
import type { Provenance } from "../proxy/client_address.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import { requestBody, type SandboxExchange } from "./exchange.ts";

/** What the gate said to an exchange, and what was learnt on the way there. */
export interface Visit {
  readonly verdict: Verdict;
  /** The app's target: without our key. */
  readonly target: string;
  readonly from: Provenance;
  /** Whether the same request would still be let in. */
  readonly recheck: () => Promise<boolean>;
}

/** A visit that was let in. */
export type Admitted = Visit & {
  verdict: Extract<Verdict, { kind: "allow" }>;
};

/** Parts of a visit. */
export interface VisitOptions {
  readonly gate: Gate;
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** Takes an exchange to the gate. */
export async function visit(
  exchange: SandboxExchange,
  { from, trail }: { from: Provenance; trail: Trail },
  { gate, scheme, cookies, allowedOrigins }: VisitOptions,
): Promise<Visit> {
  const { method, headers, host } = exchange;
  const isToolbox = exchange.route === "toolbox";
  const { target, key: authKey } = splitAuthKey(exchange.target);
  const request = {
    host,
    isSandboxId: isToolbox,
    credentials: isToolbox
      ? toolboxCredentials({ headers, authKey })
      : presentedCredentials({
        method,
        headers,
        host,
        scheme,
        cookies,
        authKey,
        allowedOrigins,
      }),
    clientAddress: from.clientAddress,
  };
  trail.asked = false;
  const verdict = await gate.admit({
    ...request,
    onAsk() {
      trail.asked = true;
    },
  });
  return {
    verdict,
    target,
    from,
    async recheck() {
      try {
        const again = await gate.admit({ ...request, isRecheck: true });
        return again.kind === "allow";
      } catch {
        return true; // an outage takes nobody's right away
      }
    },
  };
}

/** Whether a visit was let in. */
export function isAdmitted(visit: Visit): visit is Admitted {
  return visit.verdict.kind === "allow";
}

/** What is forwarded of a visit that was let in. */
export async function admittedRequest(
  exchange: SandboxExchange,
  { verdict, target, from }: Admitted,
  trail: Trail,
): Promise<AdmittedRequest> {
  const { request, headers, host } = exchange;
  const isToolbox = exchange.route === "toolbox";
  return {
    method: exchange.method,
    headers,
    ...await requestBody(request, headers),
    target,
    sandboxId: verdict.sandboxId,
    destination: isToolbox ? "toolbox" : host.port,
    forwarded: from.forwarded,
    // A daemon has no use for it, whatever opened the door.
    dropAuthorization: isToolbox || verdict.by === "bearer",
    requestId: exchange.id,
    trail,
    signal: () => request.signal,
  };
}
