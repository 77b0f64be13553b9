import type { Config } from "../../src/config.ts";
import {
  proxyDomainOf,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import { type Finding, findingsOf } from "./finding.ts";
import {
  defaultPort,
  originOf,
  type PublicBase,
  publicBases,
} from "./public_base.ts";

const { ok, warning, failed } = findingsOf("preview links");
const toolbox = findingsOf("toolbox URL");

/** Whether the links that the API hands out lead to where this gateway is. */
export function judgeLinks(
  config: Config["public"],
  remote: RemoteConfig,
): Finding[] {
  const bases = publicBases(config, remote);
  return [
    judgeTemplate(bases, remote.proxyTemplateUrl),
    judgeToolbox(bases, remote.proxyToolboxUrl),
  ];
}

function judgeTemplate(
  bases: readonly PublicBase[],
  template: string | null,
): Finding {
  const named = proxyDomainOf(template ?? "");
  if (named === null) {
    const text = template === null
      ? "The API hands out no preview links."
      : `The API's preview links, ${template}, have no form that the gateway serves.`;
    const [first] = bases;
    return first === undefined
      ? failed(
        text,
        "Set PROXY_DOMAIN: it is not known what previews live under.",
      )
      : warning(
        text,
        `Set the API's template to ${first.protocol}://{{PORT}}-{{sandboxId}}.${
          new URL(originOf(first)).host
        }.`,
      );
  }
  const theirs = { ...named, port: named.port ?? defaultPort(named.protocol) };
  const ours = bases.find(({ domain }) => domain === theirs.domain);
  if (ours === undefined) {
    return warning(
      `The API's preview links lead to ${
        originOf(theirs)
      }, which is not in PROXY_DOMAIN.`,
      "Add it to PROXY_DOMAIN if this gateway is there; it is as it should be where this is a second one.",
    );
  }
  if (theirs.protocol !== ours.protocol) {
    return failed(
      `The API's preview links are ${theirs.protocol}, and PROXY_PROTOCOL is ${ours.protocol}.`,
      "They must agree, or browsers lose the session: set PROXY_PROTOCOL to what clients see, and the API's template too.",
    );
  }
  if (theirs.port !== ours.port) {
    return failed(
      `The API's preview links lead to port ${theirs.port}, and clients see this gateway on ${ours.port}.`,
      "Write the port that clients see into PROXY_DOMAIN, and the same into the API's template.",
    );
  }
  return ok(`The API's preview links lead to ${originOf(ours)}.`);
}

function judgeToolbox(
  bases: readonly PublicBase[],
  toolboxUrl: string | null,
): Finding {
  const wanted = bases.map((base) => `${originOf(base)}/toolbox`);
  const given = URL.parse(toolboxUrl ?? "")?.href.replace(/\/+$/, "");
  if (given !== undefined && wanted.includes(given)) {
    return toolbox.ok(`The API sends the SDKs to ${given}.`);
  }
  return toolbox.warning(
    `The API sends the SDKs ${
      toolboxUrl === null ? "nowhere" : `to ${toolboxUrl}`
    } for the toolbox.`,
    wanted[0] === undefined
      ? "Set PROXY_DOMAIN, and the API's toolbox URL to /toolbox on the base domain."
      : `Set the API's toolbox URL to ${
        wanted[0]
      } if they are to come through this gateway.`,
  );
}
