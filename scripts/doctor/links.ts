import type { Config } from "../../src/config/config.ts";
import {
  proxyDomainOf,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import type { ProxyRole } from "../../src/daytona/proxy_role.ts";
import { type Finding, findingsOf } from "./finding.ts";
import {
  defaultPort,
  originOf,
  type PublicBase,
  publicBases,
} from "./public_base.ts";

const { ok, warning, failed } = findingsOf("preview links");
const toolbox = findingsOf("toolbox URL");

/** Checks that the links that the API hands out lead to this gateway. */
export function judgeLinks(
  config: Config["public"],
  remote: RemoteConfig,
  role?: ProxyRole,
): Finding[] {
  if (role === "region") return [judgeRegionLinks(config)];
  const bases = publicBases(config, remote);
  return [
    judgeTemplate(bases, remote.proxyTemplateUrl),
    judgeToolbox(bases, remote.proxyToolboxUrl),
  ];
}

/** The API's template and its toolbox URL are the installation's; those of a region's sandboxes are the region's. */
function judgeRegionLinks(config: Config["public"]): Finding {
  const [base] = publicBases(config, undefined);
  return base === undefined
    ? failed(
      "The API does not tell the domain of a region.",
      "Set PROXY_DOMAIN to the domain of the region's proxy URL.",
    )
    : ok(
      `Links to the region's sandboxes lead to the region's proxy URL, which must be ${
        originOf(base)
      }.`,
    );
}

function judgeTemplate(
  bases: readonly PublicBase[],
  template: string | null,
): Finding {
  const named = proxyDomainOf(template ?? "");
  if (named === null) {
    const text = template === null
      ? "The API hands out no preview links."
      : `The gateway does not serve preview links of the API's form, ${template}.`;
    const [first] = bases;
    return first === undefined
      ? failed(
        text,
        "Set PROXY_DOMAIN: otherwise the base domain of previews is unknown.",
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
      "Add it to PROXY_DOMAIN if it leads to this gateway; ignore this if it leads to another one.",
    );
  }
  if (theirs.protocol !== ours.protocol) {
    return failed(
      `The API's preview links are ${theirs.protocol}, but PROXY_PROTOCOL is ${ours.protocol}.`,
      "They must agree, or browsers lose their sessions: set both PROXY_PROTOCOL and the API's template to what clients use.",
    );
  }
  if (theirs.port !== ours.port) {
    return failed(
      `The API's preview links lead to port ${theirs.port}, but clients reach this gateway on ${ours.port}.`,
      "Set the same port, the one that clients use, in PROXY_DOMAIN and in the API's template.",
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
    return toolbox.ok(`The API directs SDKs to ${given}.`);
  }
  return toolbox.warning(
    toolboxUrl === null
      ? "The API does not tell SDKs where the toolbox is."
      : `The API directs SDKs to ${toolboxUrl} for the toolbox.`,
    wanted[0] === undefined
      ? "Set PROXY_DOMAIN, and set the API's toolbox URL to /toolbox on that domain."
      : `Set the API's toolbox URL to ${
        wanted[0]
      } if they are to use this gateway.`,
  );
}
