/** The keys that features use: that the API knows them, and lets them do what they are for. */
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import type { KeyToCheck } from "../../src/gateway/feature_module.ts";
import { FEATURES } from "../../src/modules.ts";
import { askWithKey, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const found = findingsOf("starting sandboxes");

const organized = z.object({ organizationId: z.string() });
const details = z.object({
  permissions: z.array(z.string()),
  organizationId: z.string().nullish(),
});
const sandboxes = z.array(organized)
  .or(z.object({ items: z.array(organized) }).transform(({ items }) => items));

/** The keys that features use. */
export function keysOf(config: Config): KeyToCheck[] {
  return FEATURES.flatMap((feature) => feature.keysToCheck?.(config) ?? []);
}

/** Asks the API about each key, by that key. */
export async function checkKeys(
  config: Config,
  world: World,
): Promise<Finding[]> {
  return await Promise.all(
    keysOf(config).map(async (one) => {
      const own = { ...config.daytona, serviceKey: one.key };
      const reply = await askWithKey(own, "/api-keys/current", world);
      // An older API does not say whose a key is, but shows it the sandboxes of its organization.
      const listed = reply.answered && reply.status === 200
        ? await askWithKey(own, "/sandbox", world)
        : undefined;
      return judgeKey(one, reply, listed);
    }),
  );
}

/** Judges a key by the reply, and by that to the question for its organization's sandboxes. */
export function judgeKey(
  { name, permission, purpose, organizationId: wanted }: KeyToCheck,
  reply: Reply,
  listed?: Reply,
): Finding {
  if (!reply.answered) {
    return found.failed(`${name} could not be tried: ${reply.reason}.`);
  }
  const { status, json } = reply;
  if (status === 401 || status === 403) {
    return found.failed(
      `${name} is no API key of a user (status ${status}).`,
      `Make one in the dashboard of that organization, with ${permission}; it may have expired.`,
    );
  }
  const known = details.safeParse(json);
  if (status !== 200 || !known.success) {
    return found.warning(
      `${name} could not be tried: the API answers with status ${status}.`,
    );
  }
  const organizationId = known.data.organizationId ??
    (listed?.answered
      ? sandboxes.safeParse(listed.json).data?.[0]?.organizationId
      : undefined);
  const isAnothers = wanted !== undefined && organizationId !== undefined &&
    organizationId.toLowerCase() !== wanted;
  if (isAnothers) {
    return found.failed(
      `${name} is of another organization, ${organizationId}.`,
      "It starts none of the named one's sandboxes: make a key in that one's dashboard, or name the right organization.",
    );
  }
  return known.data.permissions.includes(permission)
    ? found.ok(`${name} may ${purpose}.`)
    : found.failed(
      `${name} may not ${purpose}.`,
      `Give it the permission ${permission}, or set WAKE=off.`,
    );
}
