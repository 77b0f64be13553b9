/** What is different in front of a Daytona that somebody else runs: the organization's key, and that Daytona's proxy. */
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import {
  proxyDomainOf,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import {
  keyVerdictOf,
  ORGANIZATION_KEY_PROBE_PATH,
} from "../../src/daytona/service_key.ts";
import { isOfOperation } from "./api.ts";
import { ask, askWithKey, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { defaultPort, originOf } from "./public_base.ts";
import { suspectCut } from "./variables.ts";
import type { World } from "./world.ts";

const key = findingsOf("organization key");
const proxy = findingsOf("Daytona's proxy");

/** Asks the API for the preview of a sandbox that does not exist. */
export async function checkOrganizationKey(
  config: Config["daytona"],
  world: World,
): Promise<Finding> {
  const path = ORGANIZATION_KEY_PROBE_PATH
    .replace("{sandboxIdOrName}", crypto.randomUUID())
    .replace("{port}", "1");
  const reply = await askWithKey(config, path, world);
  return judgeOrganizationKey(reply, config.serviceKey);
}

/** Judges the key by the reply. */
export function judgeOrganizationKey(
  reply: Reply,
  serviceKey: string,
): Finding {
  if (!reply.answered) {
    return key.failed(`Cannot try the key: ${reply.reason}.`);
  }
  const { status, json } = reply;
  switch (status === 200 ? "unknown_answer" : keyVerdictOf(status)) {
    case "accepted":
      return isOfOperation(json)
        ? key.ok(
          "The API accepts the key as an organization's. It needs no permission for previews; yet any key of an organization can run commands in all of its sandboxes, so keep it secret.",
        )
        : key.failed(
          "The API does not have the operation for preview links.",
          "It is older than this gateway supports, or DAYTONA_API_URL points elsewhere.",
        );
    case "unknown":
      return key.failed(
        "The API does not know the key.",
        `Set DAYTONA_API_KEY to an API key of your organization, which the dashboard makes; it may have expired. ${
          suspectCut(serviceKey)
        }`,
      );
    case "other_role":
      return key.failed(
        "The API knows the key, but not as an organization's.",
        "A proxy's key belongs into PROXY_API_KEY, in front of a Daytona of your own.",
      );
    default:
      return status === 429
        ? key.warning(
          "The API throttles this machine or the organization, so the key could not be tried.",
          "Wait, then try again.",
        )
        : key.failed(
          `The API answers status ${status} when the key is tried.`,
          "Check that DAYTONA_API_URL leads to Daytona's API.",
        );
  }
}

const health = z.object({ status: z.literal("ok") });

/** Asks the proxy whether it is healthy, by its own domain. */
export async function checkHostedProxy(
  { proxyTemplateUrl }: RemoteConfig,
  world: World,
): Promise<Finding> {
  const domain = proxyDomainOf(proxyTemplateUrl ?? "");
  if (domain === null) {
    return proxy.warning(
      "The API does not say where its previews are (proxyTemplateUrl), so signed links do not open.",
      "Sandboxes in regions with a proxy of their own are served all the same.",
    );
  }
  const port = domain.port ?? defaultPort(domain.protocol);
  const origin = originOf({ ...domain, port });
  const reply = await ask(`${origin}/health`, world);
  if (!reply.answered) {
    return proxy.failed(
      `Cannot reach ${origin}: ${reply.reason}.`,
      "The gateway must be able to connect to it; its answer does not depend on any key.",
    );
  }
  return reply.status === 200 && health.safeParse(reply.json).success
    ? proxy.ok(`${origin} answers in ${reply.tookMs} ms.`)
    : proxy.warning(
      `${origin}/health answers with status ${reply.status}.`,
      "Daytona's proxy may be down, or something else is in front of it.",
    );
}
