import { describeError } from "../../src/lib/describe_error.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { isLocalhost, type PublicBase, randomHost } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, warning, failed, skipped } = findingsOf("wildcard DNS");

/** The addresses of a base domain. */
export interface DnsView {
  readonly finding: Finding;
  /** One of the addresses of the base domain; undefined if there is none. */
  readonly address?: string;
}

/** Looks up a base domain, and a name below it that only a wildcard record can match. */
export async function checkDns(
  base: PublicBase,
  world: World,
): Promise<DnsView> {
  const { domain } = base;
  if (isLocalhost(domain)) {
    return {
      finding: ok(
        `Browsers resolve *.${domain} to this machine by themselves; other programs may not.`,
      ),
      address: "127.0.0.1",
    };
  }
  try {
    const signal = world.deadline();
    const [own, below] = await Promise.all([
      world.resolve(domain, signal),
      world.resolve(randomHost(base), signal),
    ]);
    return judgeDns(domain, { own, below });
  } catch (error) {
    return {
      finding: skipped(
        `Cannot look up ${domain}: ${describeError(error)}.`,
      ),
    };
  }
}

/** Judges the addresses of a base domain and of a name below it. */
export function judgeDns(
  domain: string,
  { own, below }: {
    readonly own: readonly string[];
    readonly below: readonly string[];
  },
): DnsView {
  const found = own.length > 0 ? own : below;
  // Prefer IPv4, since this machine may not have IPv6.
  const address = found.find((each) => !each.includes(":")) ?? found[0];
  const missing = [
    ...own.length > 0 ? [] : [domain],
    ...below.length > 0 ? [] : [`*.${domain}`],
  ].join(" and ");
  const finding = missing !== ""
    ? failed(
      `There is no address for ${missing}.`,
      `Add a DNS record for ${missing} that points to the gateway or the load balancer in front of it.`,
    )
    // Load balancers rotate their addresses, so one in common is enough.
    : own.some((each) => below.includes(each))
    ? ok(`${domain} and *.${domain} resolve to ${own.join(", ")}.`)
    : warning(
      `${domain} resolves to ${own.join(", ")}, *.${domain} to ${
        below.join(", ")
      }.`,
      "Logins happen on the base domain and previews below it: both must lead to the same gateway.",
    );
  return address === undefined ? { finding } : { finding, address };
}
