import type { Config } from "../../src/config.ts";
import {
  configAnswer,
  type RemoteConfig,
} from "../../src/daytona/remote_config.ts";
import { type Answer, ask, type Obstacle, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

/** What is known of the API. */
export interface ApiView {
  readonly finding: Finding;
  /** What it tells of the installation; undefined where it is not reached. */
  readonly known?: {
    readonly remote: RemoteConfig;
    readonly answer: Answer;
  };
}

const { ok, failed } = findingsOf("API reachable");

const HINTS: Readonly<Record<Obstacle, string>> = {
  dns:
    "Check the host in DAYTONA_API_URL, and that this machine can resolve it.",
  refused: "Check host and port in DAYTONA_API_URL, and that the API runs.",
  tls:
    "Check the scheme in DAYTONA_API_URL; a private certificate authority goes into DENO_CERT.",
  timeout:
    "Check DAYTONA_API_URL, and that no firewall drops connections from here.",
  other: "Check DAYTONA_API_URL.",
};

/** Asks the API for its public configuration. */
export async function checkApi(
  { apiUrl }: Config["daytona"],
  world: World,
): Promise<ApiView> {
  return judgeApi(apiUrl, await ask(`${apiUrl}/config`, world));
}

/** What the reply to `GET {apiUrl}/config` means. */
export function judgeApi(apiUrl: string, reply: Reply): ApiView {
  if (!reply.answered) {
    const { obstacle, reason } = reply;
    return {
      finding: failed(
        `${apiUrl} is not reached: ${reason}.`,
        HINTS[obstacle],
      ),
    };
  }
  const { status, headers, json, tookMs } = reply;
  const parsed = configAnswer.safeParse(json);
  if (status === 200 && parsed.success) {
    return {
      finding: ok(`${apiUrl} answers, in ${tookMs} ms.`),
      known: { remote: parsed.data, answer: reply },
    };
  }
  const location = headers.get("location");
  if (status >= 300 && status < 400 && location !== null) {
    return {
      finding: failed(
        `${apiUrl}/config redirects to ${location}.`,
        "Set DAYTONA_API_URL to where the API itself is: the gateway follows no redirects with its key.",
      ),
    };
  }
  if (status >= 500 || status === 429) {
    return {
      finding: failed(
        `${apiUrl}/config answers with status ${status}.`,
        "Look at the API's own log.",
      ),
    };
  }
  return {
    finding: failed(
      status === 200
        ? `${apiUrl}/config answers, with something that is no configuration of Daytona's API.`
        : `${apiUrl}/config answers with status ${status}.`,
      /\/api$/.test(apiUrl)
        ? "Something else than Daytona's API is at DAYTONA_API_URL."
        : `The API is usually below /api: try DAYTONA_API_URL=${apiUrl}/api.`,
    ),
  };
}
