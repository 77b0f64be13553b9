/** The port of the sandbox, and the app that should listen on it. */
import { isEmptyBadGateway } from "../../../src/resolver/refusals/runner_messages.ts";
import { parseJson } from "../ask.ts";
import { type Finding, findingsOf } from "../finding.ts";
import type { World } from "../world.ts";
import type { PreviewRequest } from "./subject.ts";
import { type Address, type Visit, visit } from "./visit.ts";

const port = findingsOf("port");
const firstByte = findingsOf("first byte");

/** How the sandbox's ports are to be reached. */
export interface Way {
  readonly address: Address;
  /** The Host header. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What to put in front of a path of the app. */
  readonly prefix: string;
  /** The same for a path of the daemon; undefined if that cannot be reached. */
  readonly toolbox: string | undefined;
}

/** Looks at the port and at what answers on it. */
export async function lookAtApp(
  way: Way,
  request: PreviewRequest,
  world: World,
): Promise<
  { readonly findings: readonly Finding[]; readonly status?: number }
> {
  const isInUse = await askDaemon(way, request, world);
  if (isInUse === false) return { findings: [closed(request)] };
  const { address, host, headers, prefix } = way;
  const target = prefix + request.path;
  const answer = await visit(address, { host, headers, target }, world);
  if (answer.answered && isRefusal(answer)) {
    // Some ports are not watched by the daemon.
    return isInUse === undefined ? { findings: [closed(request)] } : {
      findings: [
        listens(request),
        firstByte.failed(
          `Something listens on port ${request.port}, but answers with nothing that is HTTP.`,
          "Look into the app's log; an app that speaks TLS itself cannot be previewed.",
        ),
      ],
    };
  }
  return {
    findings: [listens(request), judgeAnswer(answer, request)],
    ...answer.answered && { status: answer.status },
  };
}

function isRefusal({ status, headers }: Visit): boolean {
  return isEmptyBadGateway({ status, headers: [...headers] });
}

function listens({ port: number }: PreviewRequest): Finding {
  return port.ok(`Something listens on port ${number}.`);
}

function closed({ port: number }: PreviewRequest): Finding {
  return port.failed(
    `Nothing listens on port ${number} of the sandbox.`,
    "Start the app there, or ask for the port that it uses by --port.",
  );
}

function judgeAnswer(
  answer: Awaited<ReturnType<typeof visit>>,
  { path }: PreviewRequest,
): Finding {
  if (!answer.answered) {
    return firstByte.failed(
      `The app does not answer GET ${path}: ${answer.reason}.`,
      "Look into the app's log: it takes the connection and does not respond.",
    );
  }
  const { status, headMs, partsMs: [first], isComplete } = answer;
  if (first === undefined && !isComplete) {
    return firstByte.warning(
      `The app answers GET ${path} with status ${status} after ${headMs} ms, and then sends nothing.`,
      "That is right for an event stream that has nothing to tell yet.",
    );
  }
  return firstByte.ok(
    `The app answers GET ${path} with status ${status}; the first byte came after ${
      headMs + (first ?? 0)
    } ms.`,
  );
}

/** Whether the port is in use, according to the daemon; undefined if it does not say. */
async function askDaemon(
  { address, host, headers, toolbox }: Way,
  { port }: PreviewRequest,
  world: World,
): Promise<boolean | undefined> {
  if (toolbox === undefined) return undefined;
  const target = `${toolbox}/port/${port}/in-use`;
  const answer = await visit(address, { host, headers, target }, world);
  if (!answer.answered || answer.status !== 200) return undefined;
  const told = parseJson(answer.text);
  return typeof told === "object" && told !== null && "isInUse" in told &&
      typeof told.isInUse === "boolean"
    ? told.isInUse
    : undefined;
}
