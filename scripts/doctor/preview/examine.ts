/** Goes through one preview from outside in, and names the hop that fails. */
import { type Config, parseConfig } from "../../../src/config/config.ts";
import { checkApi } from "../api.ts";
import { type Finding, findingsOf } from "../finding.ts";
import { type PublicBase, publicBases } from "../public_base.ts";
import { SECTIONS } from "../../../src/modules.ts";
import type { World } from "../world.ts";
import { unusable } from "../unusable.ts";
import { type Hop, hopOfCode, HOPS } from "./hops.ts";
import { lookInside } from "./inside.ts";
import { lookFromOutside, type OutsideView } from "./outside.ts";
import { checkStreaming, checkWebSocket } from "./streams.ts";
import { type PreviewRequest, type Subject, urlOf } from "./subject.ts";

const whole = findingsOf("preview");

/** The findings about a preview at a gateway with this environment, one for each hop and one about the whole. */
export async function examinePreview(
  env: Readonly<Record<string, string | undefined>>,
  world: World,
  request: PreviewRequest,
): Promise<Finding[]> {
  const parsed = parseConfig(env, SECTIONS);
  if (!parsed.ok) return unusable(parsed.problems);
  const { config } = parsed;
  const [inside, base] = await Promise.all([
    lookInside(config.daytona, request, world),
    baseOf(config, world),
  ]);
  if (base === undefined) {
    return complete([
      findingsOf("DNS").failed(
        "The base domain of previews is unknown.",
        "Set PROXY_DOMAIN, or let the API tell it.",
      ),
      ...inside.findings,
    ], undefined);
  }
  const token = request.token ?? inside.token;
  const subject: Subject = { ...request, token, config, base };
  const outside = await lookFromOutside(subject, world);
  const streams = await Promise.all([
    checkWebSocket(subject, outside, world),
    checkStreaming(subject, outside, world),
  ]);
  const findings = [...outside.findings, ...inside.findings, ...streams];
  return complete(withWordOfGateway(findings, outside), urlOf(subject));
}

/** The first base domain; undefined if neither the settings nor the API tell it. */
export async function baseOf(
  config: Config,
  world: World,
): Promise<PublicBase | undefined> {
  const [base] = publicBases(config.public, undefined);
  if (base !== undefined) return base;
  const { known } = await checkApi(config.daytona, world);
  return publicBases(config.public, known?.remote)[0];
}

/** The same; where the gateway names a hop that looks sound from here, or does not answer, that counts. */
function withWordOfGateway(
  findings: readonly Finding[],
  { code, isSilent }: OutsideView,
): readonly Finding[] {
  if (failedHop(findings) !== undefined) return findings;
  const hop = isSilent ? "gate" : hopOfCode(code ?? "");
  if (!isSilent && hop === "gate") return findings;
  const told = findingsOf(hop).failed(
    isSilent
      ? "The gateway gives no answer for the preview, although all is well from here."
      : `The gateway says ${code}, although all is well from here.`,
    "Compare the gateway's environment and network with this machine's; look the request up in its log.",
  );
  return [...findings.filter(({ name }) => name !== hop), told];
}

function failedHop(findings: readonly Finding[]): Hop | undefined {
  return HOPS.find((hop) =>
    findings.some(({ name, state }) => name === hop && state === "failed")
  );
}

/** One finding for each hop, in order, and the verdict. */
function complete(
  findings: readonly Finding[],
  url: string | undefined,
): Finding[] {
  const rows = HOPS.map((hop) =>
    findings.find(({ name }) => name === hop) ??
      findingsOf(hop).skipped("It was not reached.")
  );
  const failed = failedHop(rows);
  const subject = url ?? "The preview";
  const gate = rows.find(({ name }) => name === "gate");
  return [
    ...rows,
    failed === undefined
      ? gate?.finding.startsWith("The gate asks") === true
        ? whole.ok(`${subject} works for whoever has access to it.`)
        : whole.ok(`${subject} works.`)
      : whole.failed(`${subject} fails at this hop: ${failed}.`),
  ];
}
