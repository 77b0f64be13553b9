/** Clients of HTTP/2 that ask for much, and open no window to take it by (RFC 9113 section 6.9.2). */
import { discard, writeAll } from "../../../support/dial.ts";
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
} from "../../../support/http2_frames.ts";
import { concat } from "../../../support/wire_frames.ts";
import { type Arena, BASE, type Flood, hostOf, type Limit } from "../attack.ts";
import { hold, persist } from "../persist.ts";

/** As many as a browser has under way on one connection. */
const STREAMS = 100;

/** SETTINGS_INITIAL_WINDOW_SIZE of 0. */
export const NO_WINDOW: Uint8Array = frame(
  FRAME.settings,
  new Uint8Array([0, 4, 0, 0, 0, 0]),
);

interface Asked {
  /** What is asked for, in one word. */
  readonly what: string;
  readonly about: string;
  readonly connections: number;
  readonly path: string;
  readonly host?: (stage: Arena) => string;
  readonly accept?: string;
}

/** The requests of one connection. */
export function requests(
  { scheme }: Arena,
  host: string,
  { path, accept }: Pick<Asked, "path" | "accept">,
): Uint8Array {
  const block = headerBlock([
    [":method", "GET"],
    [":scheme", scheme],
    [":authority", host],
    [":path", path],
    ...accept === undefined ? [] : [["accept", accept] as const],
  ]);
  const flags = END_HEADERS | END_STREAM;
  return concat(...Array.from(
    { length: STREAMS },
    (_, i) => frame(FRAME.headers, block, { flags, stream: 2 * i + 1 }),
  ));
}

/** They come at once, each connection with a handshake. */
export const BURST: Limit = {
  promises: { p99Ms: 4000 },
  reason:
    "8,000 to 15,000 requests at once, on as many new connections as are asked for, are two to three seconds' work: nobody is killed, and what is held costs nobody anything after that",
};

function untaken(asked: Asked, more: Partial<Flood> = {}): Flood {
  const { what, about, connections, host = () => BASE } = asked;
  return {
    name: `h2-untaken-${what}-${connections}`,
    about:
      `${connections} connections of one address ask ${STREAMS} times each for ${about}, and take nothing`,
    only: "https",
    lastsMs: 10_000,
    limit: BURST,
    settings: { SHARES: "members", MACHINE_TOKENS: "members" },
    ...more,
    run: (stage) =>
      persist(stage, connections, async () => {
        const conn = await stage.connect("h2");
        await writeAll(
          conn,
          concat(PREFACE, NO_WINDOW, requests(stage, host(stage), asked)),
        );
        await Promise.race([discard(conn), hold(stage)]);
      }),
  };
}

const PAGE = "text/html";

/** The attacks. */
export const untakenAnswers: readonly Flood[] = [
  untaken({
    what: "description",
    about: "the description of the gateway's API (78 KB)",
    connections: 25,
    path: "/openapi.json",
  }, { short: "https" }),
  untaken({
    what: "apps",
    about: "a page of the documentation (31 KB)",
    connections: 100,
    path: "/docs/apps",
  }),
  untaken({
    what: "share",
    about: "the page of a share",
    connections: 150,
    path: "/s/AAAAAAAAAAAAAAAAAAAAAA",
    accept: PAGE,
  }),
  untaken({
    what: "list",
    about: "a list of the control API",
    connections: 150,
    path: "/api/v1/sandboxes/quiet/tokens",
  }),
  untaken({
    what: "no-page",
    about: "a page that there is not",
    connections: 150,
    path: "/none",
    accept: PAGE,
  }),
  untaken({
    what: "no-sandbox",
    about: "a sandbox that there is not",
    connections: 150,
    path: "/",
    accept: PAGE,
    host: () => hostOf("none"),
  }),
  untaken({
    what: "app",
    about: "62 KB of an app",
    connections: 80,
    path: "/page",
    host: ({ hostile }) => hostile,
  }),
  untaken({
    what: "events",
    about: "events of an app without end",
    connections: 100,
    path: "/events",
    host: ({ hostile }) => hostile,
  }),
];
