import type { Config } from "../../src/config/config.ts";
import {
  configAnswer,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import { type Answer, ask, type FailureKind, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
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

const { ok, failed } = findingsOf("API reachable");

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
      finding: failed(
        `Cannot reach ${apiUrl}: ${reason}.`,
        HINTS[kind],
      ),
    };
  }
  const { status, headers, json, tookMs } = reply;
  const parsed = configAnswer.safeParse(json);
  if (status === 200 && parsed.success) {
    return {
      finding: ok(`${apiUrl} answers in ${tookMs} ms.`),
      known: { remote: parsed.data, answer: reply },
    };
  }
  const location = headers.get("location");
  if (status >= 300 && status < 400 && location !== null) {
    return {
      finding: failed(
        `${apiUrl}/config redirects to ${location}.`,
        "Set DAYTONA_API_URL to the address of the API itself: the gateway does not follow redirects with its key.",
      ),
    };
  }
  if (status >= 500 || status === 429) {
    return {
      finding: failed(
        `${apiUrl}/config answers with status ${status}.`,
        "Check the API's log.",
      ),
    };
  }
  return {
    finding: failed(
      status === 200
        ? `${apiUrl}/config answers, but not with a configuration of Daytona's API.`
        : `${apiUrl}/config answers with status ${status}.`,
      /\/api$/.test(apiUrl)
        ? "Something other than Daytona's API is at DAYTONA_API_URL."
        : `The API is usually under /api: try DAYTONA_API_URL=${apiUrl}/api.`,
    ),
  };
}
