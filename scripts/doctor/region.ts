/** The region that the gateway's key is for, if it is not for the whole installation. */
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import { type ProxyRole, proxyRoleOf } from "../../src/daytona/proxy_role.ts";
import { askWithKey } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, skipped, failed } = findingsOf("region");

const runner = z.object({ region: z.string() });

/** Reports activity of a sandbox that does not exist, which shows the key's role; undefined if it does not. */
export async function askRole(
  config: Config["daytona"],
  world: World,
): Promise<ProxyRole | undefined> {
  const path = `/sandbox/${crypto.randomUUID()}/last-activity`;
  const reply = await askWithKey(config, path, world, "POST");
  return reply.answered ? proxyRoleOf(reply.status) : undefined;
}

/** Says what the role means. */
export function judgeRole(role: ProxyRole | undefined): Finding {
  switch (role) {
    case "installation":
      return ok("The key is for the sandboxes of all regions.");
    case "region":
      return ok(
        "The key is for the sandboxes of one region; `deno task doctor SANDBOX`, with one of them, names it.",
      );
    case undefined:
      return skipped("The API does not tell whether the key is for a region.");
  }
}

/** Asks where a sandbox is, with a key of that role. */
export async function checkSandbox(
  config: Config["daytona"],
  sandboxId: string,
  { role, world }: {
    readonly role: ProxyRole;
    readonly world: World;
  },
): Promise<Finding> {
  const path = `/runners/by-sandbox/${sandboxId}`;
  const reply = await askWithKey(config, path, world);
  if (!reply.answered) {
    return failed(`Cannot ask for ${sandboxId}: ${reply.reason}.`);
  }
  if (reply.status !== 200) {
    return warning(
      `The API tells no runner of ${sandboxId}: status ${reply.status}.`,
      role === "region"
        ? "It is in another region than this key's, or does not exist."
        : "It does not exist, or is not on a runner.",
    );
  }
  const { region = "unnamed" } = runner.safeParse(reply.json).data ?? {};
  return role === "region"
    ? ok(`The key is for the sandboxes of region ${region} only.`)
    : ok(`The key is for all regions; ${sandboxId} is in ${region}.`);
}
