/** The way behind the gate, gone from here with the gateway's key: the API, the runner, the daemon and the app's port. */
import type { Config } from "../../../src/config/config.ts";
import {
  previewUrlAnswer,
  runnerRecordAnswer,
  sandboxAnswer,
} from "../../../src/daytona/models.ts";
import { isEmptyBadGateway } from "../../../src/resolver/refusals/runner_messages.ts";
import { conditionOf } from "../../../src/resolver/sandbox_condition.ts";
import { type Answer, askWithKey } from "../ask.ts";
import { type Finding, findingsOf } from "../finding.ts";
import type { World } from "../world.ts";
import { lookAtApp, type Way } from "./app.ts";
import { addressOf, type PreviewRequest, QUIET } from "./subject.ts";
import { visit } from "./visit.ts";

const api = findingsOf("API");
const sandbox = findingsOf("sandbox");
const runner = findingsOf("runner");
const daemon = findingsOf("daemon");

/** What is found behind the gate. */
export interface InsideView {
  readonly findings: readonly Finding[];
  /** The sandbox's preview token, if the API tells it. */
  readonly token?: string;
  /** The status of the app's answer. */
  readonly status?: number | undefined;
}

/** Goes from the API to the first byte of the app's answer. */
export function lookInside(
  config: Config["daytona"],
  request: PreviewRequest,
  world: World,
): Promise<InsideView> {
  return config.mode === "hosted"
    ? lookAtHosted(config, request, world)
    : lookAtOwn(config, request, world);
}

type Look = (path: string) => ReturnType<typeof askWithKey>;

/** With a proxy's key: runner, daemon and port can be reached from here. */
async function lookAtOwn(
  config: Config["daytona"],
  request: PreviewRequest,
  world: World,
): Promise<InsideView> {
  const { sandboxId } = request;
  const ask: Look = (path) => askWithKey(config, path, world);
  const placed = await ask(`/runners/by-sandbox/${sandboxId}`);
  const findings: Finding[] = [judgeApi(placed)];
  if (!isTold(placed)) return { findings };
  const state = await checkState(ask, sandboxId);
  if (placed.status === 404) {
    const isKnownToStop = state.state === "failed";
    findings.push(
      isKnownToStop ? state : sandbox.failed(
        `The API knows no sandbox ${sandboxId} on a runner.`,
        "Check the ID: it may have been deleted, or be in a region that has a proxy of its own.",
      ),
    );
    return { findings };
  }
  findings.push(state);
  if (state.state === "failed") return { findings };
  const record = runnerRecordAnswer.safeParse(placed.json).data;
  if (record === undefined || record.proxyUrl === null) {
    findings.push(runner.failed(
      "The API does not tell where the sandbox's runner is.",
      "The runner has not reported to the API yet: check its log.",
    ));
    return { findings };
  }
  const base = new URL(record.proxyUrl);
  const toolbox = `${
    base.pathname.replace(/\/+$/, "")
  }/sandboxes/${sandboxId}/toolbox`;
  const way: Way = {
    address: addressOf(record.proxyUrl),
    host: base.host,
    headers: {
      ...QUIET,
      "x-daytona-authorization": `Bearer ${record.apiKey}`,
    },
    prefix: `${toolbox}/proxy/${request.port}`,
    toolbox,
  };
  const reached = await checkRunner(way, record.proxyUrl, world);
  findings.push(...reached);
  if (reached.some(({ state }) => state === "failed")) return { findings };
  const app = await lookAtApp(way, request, world);
  return { findings: [...findings, ...app.findings], status: app.status };
}

/** With an organization's key: what is behind Daytona's own proxy cannot be seen from here. */
async function lookAtHosted(
  config: Config["daytona"],
  request: PreviewRequest,
  world: World,
): Promise<InsideView> {
  const { sandboxId, port } = request;
  const ask: Look = (path) => askWithKey(config, path, world);
  const placed = await ask(`/sandbox/${sandboxId}/ports/${port}/preview-url`);
  const findings: Finding[] = [judgeApi(placed)];
  if (!isTold(placed)) return { findings };
  const link = previewUrlAnswer.safeParse(placed.json).data;
  if (link === undefined || link.sandboxId !== sandboxId) {
    findings.push(sandbox.failed(
      `The API tells no preview of ${sandboxId}: status ${placed.status}.`,
      "Check the ID: it must be one of the key's organization, and not a name.",
    ));
    return { findings };
  }
  const { token } = link;
  const state = await checkState(ask, sandboxId);
  findings.push(state);
  if (state.state === "failed") return { findings, token };
  const url = new URL(link.url);
  const way: Way = {
    address: addressOf(link.url),
    host: url.host,
    headers: { ...QUIET, "x-daytona-preview-token": token },
    prefix: "",
    toolbox: undefined,
  };
  const theirs = "It belongs to that Daytona, and is not to be seen from here.";
  findings.push(runner.skipped(theirs), daemon.skipped(theirs));
  const app = await lookAtApp(way, request, world);
  return {
    findings: [...findings, ...app.findings],
    token,
    status: app.status,
  };
}

/** True if the API has said something about the sandbox. */
function isTold(
  reply: Awaited<ReturnType<typeof askWithKey>>,
): reply is Answer {
  return reply.answered && [200, 400, 404].includes(reply.status);
}

function judgeApi(reply: Awaited<ReturnType<typeof askWithKey>>): Finding {
  if (!reply.answered) {
    return api.failed(
      `The API does not answer: ${reply.reason}.`,
      "Check DAYTONA_API_URL and the API; `doctor` without a sandbox examines it more closely.",
    );
  }
  const { status, tookMs } = reply;
  if (isTold(reply)) return api.ok(`The API answers in ${tookMs} ms.`);
  return status === 401 || status === 403
    ? api.failed(
      `The API refuses the gateway's key: status ${status}.`,
      "Check PROXY_API_KEY or DAYTONA_API_KEY.",
    )
    : api.failed(
      `The API answers with status ${status}.`,
      status === 429
        ? "It throttles this machine: wait, then try again."
        : "Check the API's log.",
    );
}

async function checkState(ask: Look, sandboxId: string): Promise<Finding> {
  const reply = await ask(`/sandbox/${sandboxId}`);
  if (!reply.answered || reply.status === 403) {
    return sandbox.skipped("The API does not tell this key its state.");
  }
  const { data } = sandboxAnswer.safeParse(reply.json);
  if (reply.status !== 200 || data === undefined || data.state === null) {
    return reply.status === 404
      ? sandbox.failed(
        `The API knows no sandbox ${sandboxId}.`,
        "Check the ID: it may have been deleted.",
      )
      : sandbox.skipped(
        `The API does not tell its state: status ${reply.status}.`,
      );
  }
  const { state, ...more } = data;
  return conditionOf({ state, ...more }) === undefined
    ? sandbox.ok(`It is ${state}.`)
    : sandbox.failed(
      `It is ${state}, not started.`,
      "Start it in Daytona's dashboard or by its API, and try again.",
    );
}

/** Asks the daemon for its version: who answers in its place tells which hop fails. */
async function checkRunner(
  { address, host, headers, toolbox = "" }: Way,
  url: string,
  world: World,
): Promise<readonly Finding[]> {
  const target = `${toolbox}/version`;
  const answer = await visit(address, { host, headers, target }, world);
  if (!answer.answered) {
    const text = `Cannot reach the runner at ${url}: ${answer.reason}.`;
    return [runner.failed(
      text,
      "Check that the runner is up, and that this network may connect to it.",
    )];
  }
  const { status, headMs } = answer;
  const reached = runner.ok(`The runner at ${url} answers in ${headMs} ms.`);
  if (isEmptyBadGateway({ status, headers: [...answer.headers] })) {
    return [
      reached,
      daemon.failed(
        "The daemon in the sandbox does not answer.",
        "Every request for an app passes through it: restart the sandbox.",
      ),
    ];
  }
  switch (status) {
    case 200:
      return [reached, daemon.ok("The daemon in the sandbox answers.")];
    case 401:
      return [runner.failed(
        "The runner does not accept the key that the API tells for it.",
        "Give the runner the key that the API has for it.",
      )];
    case 404:
      return [runner.failed(
        "The runner does not have the sandbox that the API says it has.",
        "It may have moved a moment ago: try again; otherwise check the runner's log.",
      )];
    case 400:
      return [runner.failed(
        "The runner says that the sandbox does not run.",
        "Start the sandbox; it may have stopped without the API having noticed yet.",
      )];
    default:
      return [
        reached,
        daemon.warning(
          `Asked for the daemon's version, the runner answers with status ${status}.`,
        ),
      ];
  }
}
