/** The way of a client: name, certificate, whatever is in front of the gateway, and the gateway's gate. */
import { describeError } from "../../../src/lib/describe_error.ts";
import { checkCertificate } from "../certificate.ts";
import { type Finding, findingsOf } from "../finding.ts";
import { isLocalhost, originOf } from "../public_base.ts";
import type { World } from "../world.ts";
import { hopOfCode } from "./hops.ts";
import {
  hostHeader,
  hostnameOf,
  requestHeaders,
  type Subject,
} from "./subject.ts";
import { type Address, type Visit, visit } from "./visit.ts";

const dns = findingsOf("DNS");
const front = findingsOf("front");
const gate = findingsOf("gate");

/** What a client sees. */
export interface OutsideView {
  readonly findings: readonly Finding[];
  /** Where the front is; undefined if no gateway can be reached there. */
  readonly address?: Address;
  /** The answer to a request for the preview. */
  readonly answer?: Visit;
  /** True if there was none although the gateway answers others. */
  readonly isSilent?: boolean;
  /** The code by which the gateway refused it. */
  readonly code?: string | undefined;
}

/** Goes from the name to the gate. */
export async function lookFromOutside(
  subject: Subject,
  world: World,
): Promise<OutsideView> {
  const findings: Finding[] = [];
  const named = await findAddress(subject, world);
  findings.push(named.finding);
  const certificate = await checkCertificate(
    subject.base,
    named.address,
    world,
  );
  findings.push(certificate);
  if (named.address === undefined || certificate.state === "failed") {
    return { findings };
  }
  const address = {
    hostname: named.address,
    port: subject.base.port,
    servername: subject.base.protocol === "https"
      ? hostnameOf(subject)
      : undefined,
  };
  const before = await checkFront(subject, address, world);
  findings.push(before);
  if (before.state === "failed") return { findings };
  const answer = await visit(address, {
    host: hostHeader(hostnameOf(subject), subject.base),
    target: subject.path,
    headers: requestHeaders(subject),
  }, world);
  if (!answer.answered) {
    findings.push(gate.skipped(
      `There is no answer for the preview: ${answer.reason}.`,
    ));
    return { findings, address, isSilent: true };
  }
  const code = answer.headers.get("x-porthole-error") ?? undefined;
  findings.push(judgeGate(subject, answer, code));
  return { findings, address, answer, code };
}

async function findAddress(
  subject: Subject,
  world: World,
): Promise<{ readonly finding: Finding; readonly address?: string }> {
  const name = hostnameOf(subject);
  if (isLocalhost(name)) {
    return {
      finding: dns.ok(`Browsers resolve ${name} to this machine.`),
      address: "127.0.0.1",
    };
  }
  const hint =
    `Add a DNS record for *.${subject.base.domain} that points to the gateway or the load balancer in front of it.`;
  try {
    const found = await world.resolve(name, world.deadline());
    // Prefer IPv4, since this machine may not have IPv6.
    const address = found.find((each) => !each.includes(":")) ?? found[0];
    return address === undefined
      ? { finding: dns.failed(`There is no address for ${name}.`, hint) }
      : { finding: dns.ok(`${name} is at ${found.join(", ")}.`), address };
  } catch (error) {
    return {
      finding: dns.failed(
        `Cannot look up ${name}: ${describeError(error)}.`,
        "Check this machine's name servers, or try from another machine.",
      ),
    };
  }
}

/** What a gateway answers, by itself, for a name below its domain that no preview can have. */
const OF_NO_PREVIEW = "bad_host";

/**
 * Asks for a name that only the wildcard matches, and that is no preview's: a gateway refuses it before it asks anybody,
 * by a code that shows that the Host arrived as it was sent.
 */
async function checkFront(
  { base }: Subject,
  address: Address,
  world: World,
): Promise<Finding> {
  const name = `0-doctor.${base.domain}`;
  const answer = await visit(address, {
    host: hostHeader(name, base),
    target: "/",
    parts: 0,
  }, world);
  const where = `${originOf(base)} (${address.hostname})`;
  if (!answer.answered) {
    return front.failed(
      `Cannot reach ${where}: ${answer.reason}.`,
      "Check that the gateway runs, and whatever terminates TLS or balances load in front of it.",
    );
  }
  const code = answer.headers.get("x-porthole-error");
  const ms = `${answer.headMs} ms`;
  switch (code) {
    case OF_NO_PREVIEW:
      return front.ok(`A gateway answers at ${where} in ${ms}.`);
    case null:
      return front.failed(
        `Whatever answers for ${name}, with status ${answer.status}, is not the gateway.`,
        answer.status >= 500
          ? "The front does not reach the gateway: check its upstream address, and that the gateway runs."
          : `Let the front forward *.${base.domain} to the gateway, with Host and path unchanged.`,
      );
    default:
      return front.failed(
        `The gateway answers ${code} for ${name}: it was not told that name.`,
        `Let the front pass the Host header unchanged, and set PROXY_DOMAIN to ${base.domain} at the gateway.`,
      );
  }
}

function judgeGate(
  { token }: Subject,
  { status }: Visit,
  code: string | undefined,
): Finding {
  if (code === undefined) {
    return gate.ok(`The gate lets the request through: status ${status}.`);
  }
  if (hopOfCode(code) !== "gate") {
    return gate.ok(`The gate lets the request through.`);
  }
  switch (code) {
    case "login_required":
    case "frame_refused":
      return gate.ok(
        "The gate asks for a credential: the sandbox is private, or there is none by that ID. For what is behind the gate, set PREVIEW_TOKEN to the sandbox's preview token.",
      );
    case "credential_invalid":
      return gate.failed(
        token === undefined
          ? "The gate refuses the request: credential_invalid."
          : "The gate does not accept PREVIEW_TOKEN for this sandbox.",
        "The API shows the token with the preview link of any port; it changes when the sandbox is started again.",
      );
    default:
      return gate.failed(
        `The gate refuses the request: ${code}.`,
        "docs/errors.md says what to do about each code.",
      );
  }
}
