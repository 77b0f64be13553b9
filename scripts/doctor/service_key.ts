import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import { KEY_PROBE_PATH, keyVerdictOf } from "../../src/daytona/service_key.ts";
import { ask, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("service key");

/** Asks the API about a sandbox that does not exist. */
export async function checkServiceKey(
  { apiUrl, serviceKey }: Config["daytona"],
  world: World,
): Promise<Finding> {
  const path = KEY_PROBE_PATH.replace("{sandboxId}", crypto.randomUUID());
  const authorization = `Bearer ${serviceKey}`;
  return judgeServiceKey(await ask(apiUrl + path, world, { authorization }));
}

const errorBody = z.object({ message: z.string() });

/** Judges the key by the reply. */
export function judgeServiceKey(reply: Reply): Finding {
  if (!reply.answered) {
    return failed(`Cannot try the key: ${reply.reason}.`);
  }
  const { status, json } = reply;
  if (status === 200) {
    return failed(
      "The API says that a sandbox that does not exist is public.",
      "Whatever is at DAYTONA_API_URL answers 200 to everything.",
    );
  }
  const { data } = errorBody.safeParse(json);
  switch (keyVerdictOf(status)) {
    case "accepted":
      return data === undefined || data.message.startsWith("Cannot GET")
        ? failed(
          "The API does not have the operation for previews.",
          "It is older than this gateway supports, or DAYTONA_API_URL points elsewhere.",
        )
        : ok("The API accepts the key as a proxy's.");
    case "unknown":
      return failed(
        "The API does not know the key.",
        "Set PROXY_API_KEY to the value that the API has under that name.",
      );
    case "other_role":
      return failed(
        "The API knows the key, but not as its proxy's.",
        "A user's API key is not enough: set PROXY_API_KEY to the value that the API has under that name.",
      );
    case undefined:
      return status === 429
        ? warning(
          "The API throttles this machine, so the key could not be tried.",
          "It has received many wrong credentials from here: wait, then try again.",
        )
        : failed(
          `The API answers status ${status} when the key is tried.`,
          "Check the API's log.",
        );
  }
}
