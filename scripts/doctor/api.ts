/** The API: that it can be reached, accepts our key, and agrees on the time. */
import { z } from "zod";
import type { Config } from "../../src/config/config.ts";
import {
  configAnswer,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import { KEY_PROBE_PATH, keyVerdictOf } from "../../src/daytona/service_key.ts";
import {
  type Answer,
  ask,
  askWithKey,
  type FailureKind,
  type Reply,
} from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { suspectCut } from "./variables.ts";
import type { World } from "./world.ts";

/** The state of the API. */
export interface ApiView {
  readonly finding: Finding;
  /** The configuration that it publishes; undefined if it could not be read. */
  readonly known?: {
    readonly remote: RemoteConfig;
    readonly answer: Answer;
  };
}

const reachable = findingsOf("API reachable");
const serviceKey = findingsOf("service key");
const clock = findingsOf("clock");

const HINTS: Readonly<Record<FailureKind, string>> = {
  dns:
    "Check the host in DAYTONA_API_URL, and that this machine can resolve it.",
  refused:
    "Check host and port in DAYTONA_API_URL, and that the API is running.",
  tls:
    "Check the scheme in DAYTONA_API_URL; name a private certificate authority in DENO_CERT.",
  timeout:
    "Check DAYTONA_API_URL, and that no firewall drops connections from here.",
  other: "Check DAYTONA_API_URL.",
};

/** Fetches the API's public configuration. */
export async function checkApi(
  { apiUrl }: Config["daytona"],
  world: World,
): Promise<ApiView> {
  return judgeApi(apiUrl, await ask(`${apiUrl}/config`, world));
}

/** Judges the reply to `GET {apiUrl}/config`. */
export function judgeApi(apiUrl: string, reply: Reply): ApiView {
  if (!reply.answered) {
    const { kind, reason } = reply;
    return {
      finding: reachable.failed(
        `Cannot reach ${apiUrl}: ${reason}.`,
        HINTS[kind],
      ),
    };
  }
  const { status, headers, json, tookMs } = reply;
  const parsed = configAnswer.safeParse(json);
  if (status === 200 && parsed.success) {
    return {
      finding: reachable.ok(`${apiUrl} answers in ${tookMs} ms.`),
      known: { remote: parsed.data, answer: reply },
    };
  }
  const location = headers.get("location");
  if (status >= 300 && status < 400 && location !== null) {
    return {
      finding: reachable.failed(
        `${apiUrl}/config redirects to ${location}.`,
        "Set DAYTONA_API_URL to the address of the API itself: the gateway does not follow redirects with its key.",
      ),
    };
  }
  if (status >= 500 || status === 429) {
    return {
      finding: reachable.failed(
        `${apiUrl}/config answers with status ${status}.`,
        "Check the API's log.",
      ),
    };
  }
  return {
    finding: reachable.failed(
      status === 200
        ? `${apiUrl}/config answers, but not with a configuration of Daytona's API.`
        : `${apiUrl}/config answers with status ${status}.`,
      /\/api$/.test(apiUrl)
        ? "Something other than Daytona's API is at DAYTONA_API_URL."
        : `The API is usually under /api: try DAYTONA_API_URL=${apiUrl}/api.`,
    ),
  };
}

/** Asks the API about a sandbox that does not exist. */
export async function checkServiceKey(
  config: Config["daytona"],
  world: World,
): Promise<Finding> {
  const path = KEY_PROBE_PATH.replace("{sandboxId}", crypto.randomUUID());
  const reply = await askWithKey(config, path, world);
  return judgeServiceKey(reply, config.serviceKey);
}

const errorBody = z.object({ message: z.string() });

/** True if an operation of the API has refused a request, by the body: otherwise there is no such operation. */
export function isOfOperation(body: unknown): boolean {
  const { data } = errorBody.safeParse(body);
  return data !== undefined && !data.message.startsWith("Cannot GET");
}

/** Judges the key by the reply. */
export function judgeServiceKey(reply: Reply, key: string): Finding {
  if (!reply.answered) {
    return serviceKey.failed(`Cannot try the key: ${reply.reason}.`);
  }
  const { status, json } = reply;
  if (status === 200) {
    return serviceKey.failed(
      "The API says that a sandbox that does not exist is public.",
      "Whatever is at DAYTONA_API_URL answers 200 to everything.",
    );
  }
  switch (keyVerdictOf(status)) {
    case "accepted":
      return isOfOperation(json)
        ? serviceKey.ok("The API accepts the key as a proxy's.")
        : serviceKey.failed(
          "The API does not have the operation for previews.",
          "It is older than this gateway supports, or DAYTONA_API_URL points elsewhere.",
        );
    case "unknown":
      return serviceKey.failed(
        "The API does not know the key.",
        `Set PROXY_API_KEY to the value that the API has under that name. ${
          suspectCut(key)
        }`,
      );
    case "other_role":
      return serviceKey.failed(
        "The API knows the key, but not as its proxy's.",
        "A user's API key is not enough: set PROXY_API_KEY to the value that the API has under that name.",
      );
    case undefined:
      return status === 429
        ? serviceKey.warning(
          "The API throttles this machine, so the key could not be tried.",
          "It has received many wrong credentials from here: wait, then try again.",
        )
        : serviceKey.failed(
          `The API answers status ${status} when the key is tried.`,
          "Check the API's log.",
        );
  }
}

/** Beyond this, sessions end noticeably early or late, ms. */
const NOTICEABLE_MS = 5_000;

/** Beyond this, valid tokens are refused or expired ones accepted, ms. */
const HARMFUL_MS = 60_000;

/** Compares our clock with the API's, by the Date field (RFC 9110 section 6.6.1) of a response. */
export function judgeClock({ headers, at }: Answer): Finding {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return clock.skipped("The API's responses have no Date to compare with.");
  }
  // The field is truncated to whole seconds: on average, it is half a second old.
  const aheadMs = at - (date + 500);
  const text = `This machine's clock is ${
    Math.round(Math.abs(aheadMs) / 1000)
  } s ${aheadMs > 0 ? "ahead of" : "behind"} the API's.`;
  const hint = "Synchronize both machines with a time server (NTP).";
  if (Math.abs(aheadMs) > HARMFUL_MS) return clock.failed(text, hint);
  if (Math.abs(aheadMs) > NOTICEABLE_MS) return clock.warning(text, hint);
  return clock.ok("This machine's clock and the API's agree.");
}
