/** The keys by which sandboxes start: that the API knows them, and lets them. */
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import { askWithKey, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const found = findingsOf("starting sandboxes");

/** What a key needs. */
const PERMISSION = "write:sandboxes";

const details = z.object({ permissions: z.array(z.string()) });

/** Asks the API about each key, by that key; finds nothing where users start with their own tokens only. */
export async function checkWakeKeys(
  { wake, daytona }: Pick<Config, "wake" | "daytona">,
  world: World,
): Promise<Finding[]> {
  const keys = daytona.mode === "hosted"
    ? [{ name: "DAYTONA_API_KEY", key: daytona.serviceKey }]
    : wake.keys.map(({ organizationId, key }) => ({
      name: `The key of WAKE_API_KEYS for ${organizationId}`,
      key,
    }));
  return await Promise.all(keys.map(async ({ name, key }) => {
    const config = { ...daytona, serviceKey: key };
    const reply = await askWithKey(config, "/api-keys/current", world);
    return judgeWakeKey(name, reply);
  }));
}

/** Judges a key by the reply. The API does not tell whose it is. */
export function judgeWakeKey(name: string, reply: Reply): Finding {
  if (!reply.answered) {
    return found.failed(`${name} could not be tried: ${reply.reason}.`);
  }
  const { status, json } = reply;
  if (status === 401 || status === 403) {
    return found.failed(
      `${name} is no API key of a user (status ${status}).`,
      `Make one in the dashboard of that organization, with ${PERMISSION}; it may have expired.`,
    );
  }
  const known = details.safeParse(json);
  if (status !== 200 || !known.success) {
    return found.warning(
      `${name} could not be tried: the API answers with status ${status}.`,
    );
  }
  return known.data.permissions.includes(PERMISSION)
    ? found.ok(`${name} may start sandboxes.`)
    : found.failed(
      `${name} may not start sandboxes.`,
      `Give it the permission ${PERMISSION}, or set WAKE=off.`,
    );
}
