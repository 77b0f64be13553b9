/**
 * The worlds once more, in which every preview is asked for by a name: the hosts of previews in a request become names,
 * and names in an answer become those hosts again. So whatever holds of a preview host must hold of a name, and the host
 * is all that may differ.
 */
import { FEATURES } from "../../src/modules.ts";
import { BASE, type TestGateway } from "./gateway.ts";
import type { Answer } from "./send.ts";
import { textFile } from "./text_file.ts";
import { type StartGateway, testInEach, WORLDS } from "./worlds.ts";

const SANDBOXES = ["demo", "locked"];
const PORTS = [3000, 3001, 5173, 8000, 8001, 8080];

const SANDBOX = SANDBOXES.join("|");
const DOMAIN = BASE.replaceAll(".", "\\.");
const PREVIEW = new RegExp(
  `\\b(${PORTS.join("|")})-(${SANDBOX})\\.${DOMAIN}`,
  "gi",
);
const NAME = new RegExp(`\\bp(\\d+)-(${SANDBOX})\\.${DOMAIN}`, "gi");

/** What the operator's file says. */
const NAMES = Object.fromEntries(
  PORTS.flatMap((port) =>
    SANDBOXES.map((
      sandbox,
    ) => [`p${port}-${sandbox}.${BASE}`, { sandbox, port }])
  ),
);

function byName(text: string): string {
  return text.replace(PREVIEW, `p$1-$2.${BASE}`);
}

function byPort(text: string): string {
  return text.replace(NAME, `$1-$2.${BASE}`);
}

function seenByPort(answer: Answer): Answer {
  const body = byPort(answer.body);
  return {
    ...answer,
    headers: new Headers(
      [...answer.headers].map(([name, value]) => [name, byPort(value)]),
    ),
    rawHeaders: answer.rawHeaders.map(byPort),
    body,
    json: () => JSON.parse(body),
    echoed: () =>
      new Map(
        [...answer.echoed()].map(([name, value]) => [name, byPort(value)]),
      ),
  };
}

/** A gateway as it starts it, which is asked by names. */
function named(startGateway: StartGateway): StartGateway {
  return async (environment, options) => {
    await using started = new AsyncDisposableStack();
    const file = started.use(await textFile(JSON.stringify(NAMES)));
    const names = { NAMES: "operator", NAMES_FILE: file.path };
    const gateway: TestGateway = started.use(
      await startGateway({ ...names, ...environment }, options),
    );
    const owned = started.move();
    return {
      ...gateway,
      async send(host, { path, headers, body, ...others } = {}) {
        const answer = await gateway.send(byName(host), {
          ...others,
          ...path !== undefined && { path: byName(path) },
          ...headers && {
            headers: Object.fromEntries(
              Object.entries(headers)
                .map(([name, value]) => [name, byName(value)]),
            ),
          },
          body: typeof body === "string" ? byName(body) : body,
        });
        return seenByPort(answer);
      },
      open: (bytes) => gateway.open(byName(bytes)),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  };
}

/** Those of the gateways that have names. */
const BY_NAME = FEATURES.some(({ name }) => name === "names")
  ? WORLDS.map(({ suffix, startGateway, ...world }) => ({
    ...world,
    suffix: `${suffix} (by name)`,
    startGateway: named(startGateway),
  }))
  : [];

/** Both worlds, by preview hosts and by names. */
export const NAMED_WORLDS = [...WORLDS, ...BY_NAME];

/** Defines a test for each of them. */
export function testByNameToo(
  name: string,
  body: (startGateway: StartGateway) => Promise<void>,
): void {
  testInEach(NAMED_WORLDS, name, body);
}
