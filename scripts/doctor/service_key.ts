import { z } from "zod";
import type { Config } from "../../src/config.ts";
import { KEY_QUESTION, keyVerdictOn } from "../../src/daytona/service_key.ts";
import { ask, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("service key");

/** Asks the API about a sandbox that there is not. */
export async function checkServiceKey(
  { apiUrl, serviceKey }: Config["daytona"],
  world: World,
): Promise<Finding> {
  const path = KEY_QUESTION.replace("{sandboxId}", crypto.randomUUID());
  const authorization = `Bearer ${serviceKey}`;
  return judgeServiceKey(await ask(apiUrl + path, world, { authorization }));
}

const errorBody = z.object({ message: z.string() });

/** What the reply says of the key. */
export function judgeServiceKey(reply: Reply): Finding {
  if (!reply.answered) {
    return failed(`The key could not be tried: ${reply.reason}.`);
  }
  const { status, json } = reply;
  if (status === 200) {
    return failed(
      "The API calls a sandbox public that does not exist.",
      "Something that answers everything with 200 is at DAYTONA_API_URL.",
    );
  }
  const { data } = errorBody.safeParse(json);
  switch (keyVerdictOn(status)) {
    case "accepted":
      return data === undefined || data.message.startsWith("Cannot GET")
        ? failed(
          "The API has no operation for previews.",
          "It is older than this gateway supports, or DAYTONA_API_URL leads past it.",
        )
        : ok("The API knows the key as a proxy's.");
    case "unknown":
      return failed(
        "The API does not know the key.",
        "Set PROXY_API_KEY to the value that the API has under the same name.",
      );
    case "other_role":
      return failed(
        "The API knows the key as somebody else's, not as its proxy's.",
        "A user's API key does not do: set PROXY_API_KEY to the value that the API has under the same name.",
      );
    case undefined:
      return status === 429
        ? warning(
          "The API throttles this machine, so the key could not be tried.",
          "Many wrong credentials came from here: wait, and try again.",
        )
        : failed(
          `The API answers with status ${status} where the key is tried.`,
          "Look at the API's own log.",
        );
  }
}
