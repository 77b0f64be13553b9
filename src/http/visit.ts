/** A request at the gate: what it presents, what the gate says to it, and how to ask the gate again. */
import { splitAuthKey } from "../auth/auth_key.ts";
import {
  presentedCredentials,
  toolboxCredentials,
} from "../auth/credentials.ts";
import type { Gate, GateRequest, Verdict } from "../auth/gate.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { Trail } from "../observability/trail.ts";
import type { Provenance } from "../proxy/client_address.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import {
  type RequestBody,
  requestBody,
  type SandboxExchange,
} from "./exchange.ts";

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

/** Takes an exchange to the gate; what is known already is said at once. */
export function visit(
  exchange: SandboxExchange,
  { from, trail }: { from: Provenance; trail: Trail },
  { gate, scheme, cookies, allowedOrigins }: VisitOptions,
): Visit | Promise<Visit> {
  const { method, headers, host } = exchange;
  const isToolbox = exchange.route === "toolbox";
  const { target, key: authKey } = splitAuthKey(exchange.target);
  const request: GateRequest = {
    host,
    isSandboxId: isToolbox,
    credentials: () =>
      isToolbox
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
    onAsk() {
      trail.asked = true;
    },
  };
  trail.asked = false;

  async function recheck(): Promise<boolean> {
    try {
      const again = await gate.admit({ ...request, isRecheck: true });
      return again.kind === "allow";
    } catch {
      return true; // an outage takes nobody's right away
    }
  }

  function visited(verdict: Verdict): Visit {
    return { verdict, target, from, recheck };
  }

  const verdict = gate.admit(request);
  return verdict instanceof Promise ? verdict.then(visited) : visited(verdict);
}

/** Whether a visit was let in. */
export function isAdmitted(visit: Visit): visit is Admitted {
  return visit.verdict.kind === "allow";
}

/** What is forwarded of a visit that was let in. */
export function admittedRequest(
  exchange: SandboxExchange,
  { verdict, target, from }: Admitted,
  trail: Trail,
): AdmittedRequest | Promise<AdmittedRequest> {
  const { request, headers, host } = exchange;
  const isToolbox = exchange.route === "toolbox";

  function admitted({ body, contentLength }: RequestBody): AdmittedRequest {
    return {
      method: exchange.method,
      headers,
      body,
      contentLength,
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

  const body = requestBody(request, headers);
  return body instanceof Promise ? body.then(admitted) : admitted(body);
}
