/** One name of a port: that its DNS leads to the gateway, that browsers accept its certificate, and that its sandbox runs. */
import type { Config } from "../../../src/config/config.ts";
import { sandboxAnswer } from "../../../src/daytona/models.ts";
import type { NameToCheck } from "../../../src/gateway/feature_module.ts";
import { describeError } from "../../../src/lib/describe_error.ts";
import { conditionOf } from "../../../src/resolver/sandbox_condition.ts";
import { askWithKey } from "../ask.ts";
import { handshake, troubleWith } from "../certificate.ts";
import { type Finding, findingsOf } from "../finding.ts";
import { isLocalhost, type PublicBase } from "../public_base.ts";
import type { World } from "../world.ts";

const dns = findingsOf("name's DNS");
const proof = findingsOf("name's proof");
const certificate = findingsOf("name's certificate");
const target = findingsOf("name's sandbox");

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a name is part of. */
export interface Installation {
  /** Where clients reach the gateway. */
  readonly base: PublicBase;
  readonly daytona: Config["daytona"];
}

/** The findings about a name, each of which says its host. */
export async function checkName(
  name: NameToCheck,
  installation: Installation,
  world: World,
): Promise<Finding[]> {
  const { base } = installation;
  const [{ finding, address }, proven, leads] = await Promise.all([
    checkDns(name, base, world),
    checkProof(name),
    checkTarget(name, installation, world),
  ]);
  const shown = await checkCertificate(name, { base, address }, world);
  return [finding, ...proven, shown, leads];
}

async function checkDns(
  { host, state }: NameToCheck,
  { domain }: PublicBase,
  world: World,
): Promise<{ readonly finding: Finding; readonly address?: string }> {
  if (isLocalhost(host)) {
    return {
      finding: dns.ok(`Browsers resolve ${host} to this machine.`),
      address: "127.0.0.1",
    };
  }
  let own: readonly string[];
  let ours: readonly string[];
  try {
    const signal = world.deadline();
    [own, ours] = await Promise.all([
      world.resolve(host, signal),
      isLocalhost(domain) ? ["127.0.0.1"] : world.resolve(domain, signal),
    ]);
  } catch (error) {
    const reason = describeError(error);
    return { finding: dns.skipped(`Cannot look up ${host}: ${reason}.`) };
  }
  // Prefer IPv4, since this machine may not have IPv6.
  const address = own.find((each) => !each.includes(":")) ?? own[0];
  if (address === undefined) {
    const text = `There is no address for ${host}.`;
    const hint =
      `Add a record for it, such as a CNAME to ${domain}; a custom domain's is a CNAME to its own target.`;
    // Any member may claim a domain, whose DNS is the operator's affair only once it is proven.
    const finding = state === "active"
      ? dns.failed(text, hint)
      : dns.warning(text, hint);
    return { finding };
  }
  const isOurs = own.some((each) => ours.includes(each));
  const where = `${host} is at ${own.join(", ")}`;
  return {
    address,
    finding: isOurs ? dns.ok(`${where}, where ${domain} is.`) : dns.warning(
      `${where}, but ${domain} at ${ours.join(", ") || "no address"}.`,
      "That is fine if what is at the former leads to the gateway, too.",
    ),
  };
}

async function checkProof(
  { host, state, disproof: ask }: NameToCheck,
): Promise<Finding[]> {
  if (ask === undefined) return [];
  const disproof = await ask();
  const hint =
    `GET /api/v1/names/${host} tells its members which records it needs.`;
  if (disproof !== undefined) {
    const text = `The DNS does not prove whose ${host} is: ${disproof}.`;
    return [
      state === "active" ? proof.failed(text, hint) : proof.warning(text, hint),
    ];
  }
  if (state === "active") {
    return [proof.ok(`The DNS proves whose ${host} is.`)];
  }
  return [proof.warning(
    `The DNS proves whose ${host} is, but it is ${state}.`,
    `POST /api/v1/names/${host}/verify has the gateway look.`,
  )];
}

async function checkCertificate(
  { host, state }: NameToCheck,
  { base, address }: {
    readonly base: PublicBase;
    readonly address: string | undefined;
  },
  world: World,
): Promise<Finding> {
  const { protocol, port } = base;
  if (protocol === "http") {
    return certificate.skipped(
      "PROXY_PROTOCOL is http, so there is no certificate.",
    );
  }
  if (state !== "active") {
    return certificate.skipped(`${host} is ${state}, so it may have none.`);
  }
  if (address === undefined) {
    return certificate.skipped(`${host} has no address to connect to.`);
  }
  const result = await handshake({ address, port, servername: host }, world);
  const now = world.now();
  const trouble = troubleWith(certificate, { name: host, port, result, now }, {
    unreached:
      "What terminates TLS there must get certificates for names: see docs/features/names.md.",
    refused:
      "Get one for it, or have the front ask /tls/ask: see docs/features/names.md.",
  });
  if (trouble !== undefined || !result.answered) {
    return trouble ?? certificate.skipped("There was no handshake.");
  }
  const days = Math.floor((result.validTo - now) / DAY_MS);
  return certificate.ok(`That of ${host} is valid for ${days} days more.`);
}

async function checkTarget(
  { host, sandboxId, port }: NameToCheck,
  { daytona }: Installation,
  world: World,
): Promise<Finding> {
  const reply = await askWithKey(daytona, `/sandbox/${sandboxId}`, world);
  const text = `${host} is for port ${port} of ${sandboxId}`;
  if (!reply.answered) {
    return target.skipped(`${text}. The API does not answer: ${reply.reason}.`);
  }
  const { status, json } = reply;
  const told = status === 200 ? sandboxAnswer.safeParse(json).data : undefined;
  const state = told?.state ?? null;
  const condition = told && state !== null
    ? conditionOf({ ...told, state })
    : undefined;
  if (status === 404 || condition === "sandbox_not_found") {
    return target.failed(
      `${text}, which the API does not know.`,
      "It was deleted: have the name lead to another one, or delete it.",
    );
  }
  if (state === null) {
    return target.skipped(
      `${text}. The API does not tell its state: status ${status}.`,
    );
  }
  return condition === undefined
    ? target.ok(`${text}, which is ${state}.`)
    : target.warning(`${text}, which is ${state}.`, "Visitors are told so.");
}
