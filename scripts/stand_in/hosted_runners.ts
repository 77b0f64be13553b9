/** What the hosted proxy makes of requests on their way to the runners, and what it knows of these. */
import type { IncomingMessage } from "node:http";
import type { FakeApi } from "./api.ts";
import type { Admission } from "./hosted_admission.ts";
import { isCorsDisabled } from "./hosted_answers.ts";
import { ExtendingCache } from "./hosted_cache.ts";
import { JSON_TYPE, type OwnAnswer, refusal } from "./runner_answers.ts";
import { type LocalTarget, valuesOf, without } from "./runner_forward.ts";

/** What the proxy knows of a runner. */
interface Runner {
  readonly port: number;
  readonly key: string;
}

const SKIP_ACTIVITY = "x-daytona-skip-last-activity-update";

/** The way to the runners. */
export class HostedRunners {
  /** The sandboxes of which the proxy has told the API that they are in use, one for each request. */
  readonly activity: string[] = [];
  readonly #api: FakeApi;
  readonly #runners: ExtendingCache<Runner>;

  /** `now` is in ms. */
  constructor(api: FakeApi, now: () => number) {
    this.#api = api;
    this.#runners = new ExtendingCache(120_000, now);
  }

  /** Forgets where the sandboxes are. */
  forget(): void {
    this.#runners.clear();
  }

  /** What becomes of a request that was let in; `path` is the port's part of the runner's path. */
  plan(
    message: IncomingMessage,
    { sandboxId, target, lines, added }: Admission,
    path: string,
  ): OwnAnswer | LocalTarget {
    const runner = this.#runners.get(
      sandboxId,
      () => this.#runnerOf(sandboxId),
    );
    if (runner === undefined) {
      const reason =
        `failed to get runner info: Sandbox with ID ${sandboxId} not found`;
      const refused = refusal(message, 400, `bad request: ${reason}`);
      return { ...refused, headers: [JSON_TYPE, ...added] };
    }
    const isSilent = valuesOf(lines, SKIP_ACTIVITY)[0] === "true";
    if (!isSilent) this.activity.push(sandboxId);
    const { host = "" } = message.headers;
    return {
      localPort: runner.port,
      authority: `127.0.0.1:${runner.port}`,
      target: `/sandboxes/${sandboxId}/toolbox${path}${target}`,
      proxies: 1,
      lines: [
        ...without(lines, [
          ...isCorsDisabled(lines) ? ["x-daytona-disable-cors"] : [],
          ...isSilent ? [] : [SKIP_ACTIVITY],
        ]),
        // A second line, where the visitor has sent one.
        ["X-Forwarded-Host", host],
        // A second one too: the runner takes the visitor's, and refuses it.
        ["X-Daytona-Authorization", `Bearer ${runner.key}`],
      ],
      added,
    };
  }

  /** An archived sandbox has none. */
  #runnerOf(sandboxId: string): Runner | undefined {
    const { sandboxes, runners } = this.#api.state;
    const sandbox = sandboxes.get(sandboxId);
    if (sandbox === undefined) return undefined;
    if (["archived", "destroyed"].includes(sandbox.state)) return undefined;
    const { proxyUrl, apiKey } = runners.get(sandbox.runnerId) ?? {};
    return typeof proxyUrl === "string" && typeof apiKey === "string"
      ? { port: Number(new URL(proxyUrl).port), key: apiKey }
      : undefined;
  }
}
