/**
 * What the head of one request costs, by a whole service in this process: no value of a header, host or target may take
 * longer than its length explains. Runners answer at once, without a network.
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import type { RequestInfo } from "../../../src/downstream/http/handler.ts";
import { dial } from "../../../src/upstream/http1/connect.ts";
import { BASE, startGateway, type TestGateway } from "../../support/gateway.ts";
import { scriptedConn } from "../../support/scripted_conn.ts";
import { NASTY, type Shape } from "./head_shapes.ts";
import { asyncProperty, type Property } from "./property.ts";

/** A head. */
export interface CostlyHead {
  readonly method?: string;
  /** Followed by the base domain, unless that is undefined. */
  readonly host?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Heads in which readers of headers get as far as they can. */
export const PLACES: readonly CostlyHead[] = [
  { host: "3000-demo" },
  { host: "3000-locked" },
  {
    host: "3000-demo",
    headers: {
      "connection": "Upgrade",
      "upgrade": "websocket",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-version": "13",
    },
  },
  {
    host: "3000-locked",
    headers: {
      "accept": "text/html",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
    },
  },
  {
    host: "3000-demo",
    method: "OPTIONS",
    headers: {
      "origin": "https://other.example",
      "access-control-request-method": "PUT",
    },
  },
  { target: "/toolbox/locked/files", headers: { authorization: KEYS.user } },
  { target: "/snapshots/s/build-logs" },
  { target: "/login" },
  { target: "/" },
  { target: "/api/v1/previews/locked/3000" },
  { target: "/access/locked", headers: { "accept": "text/html" } },
];

/** Most time that a head may take, whatever its shape, ms. */
export const MAX_MS = 5;

/** Length of the long value and of a short one, bytes. A quadratic reader takes 64 times as long for the long one. */
const LONG = 60 * 1024;
const SHORT = LONG / 8;

/** Most that the long one may take, in times of the short one: that does not depend on the machine, nor does the next. */
const MAX_GROWTH = 24;

/** Most that it may take, in times of as many letters. */
const MAX_TIMES = 50;

const PLAIN: Shape = { before: "", repeated: "a", behind: "" };

/** The best of them counts: something else may have been running. */
const SAMPLES = 5;

/** Fields that the source has no name of, or only in patterns; what is in front, or the platform, may read them. */
const OTHERS = [
  ...["cache-control", "content-range", "forwarded", "if-modified-since"],
  ...["if-range", "keep-alive", "pragma", "range", "te", "trailer", "via"],
];

/** What every reader of a request's URL reads. */
const URL_PARTS = ["host", "target", "query"];

/** A few characters that mean something to some reader. */
const token = fc.string({
  unit: fc.constantFrom(...'aA01.-_,;:=/?&%@"\\()<>*+ \t\xa0'),
  maxLength: 4,
});

/** A value of a head. */
export interface HeadValue {
  readonly place: CostlyHead;
  readonly name: string;
  readonly shape: Shape;
}

/** What it costs. */
export interface HeadCost {
  readonly ms: number;
  /** Why it is too much; undefined if it is not, or not for its length. */
  readonly excess: string | undefined;
}

/** A service, and what it takes for heads; somebody watches the requests to `demo`. */
export class HeadWorld implements AsyncDisposable {
  readonly #gateway: TestGateway;
  /** What can have a hostile value: path, query, the name of a header, and the headers that are read. */
  readonly names: readonly string[];

  private constructor(gateway: TestGateway, headers: readonly string[]) {
    this.#gateway = gateway;
    this.names = ["target", "query", "name", ...headers];
  }

  static async start(): Promise<HeadWorld> {
    const api: { port?: number } = {};
    const gateway = await startGateway({
      MAX_HEADER_BYTES: "65536",
      MAX_TARGET_BYTES: "65536",
      REFUSALS_PER_MINUTE: "1000000",
      MAX_LOOKUPS_PER_CLIENT: "1000",
      TRUSTED_PROXIES: "127.0.0.0/8",
      PREVIEW_WARNING: "true",
    }, {
      dial: (origin, signal) =>
        origin.port === api.port
          ? dial(origin, signal)
          : Promise.resolve(scriptedConn({ reads: [ANSWER] })),
    });
    api.port = Number(new URL(gateway.stack.api.url).port);
    const watching = await gateway.service.fetch(requestOf(WATCH), INFO);
    assert.equal(watching.status, 200);
    watching.body?.pipeTo(new WritableStream()).catch(() => {});
    return new HeadWorld(gateway, await headersOfSource());
  }

  /**
   * Nasty values: of hosts, paths and queries at one in `every` place, and of the others at some. Each text comes at some
   * place, if `every` is no more than the number of places.
   */
  *nastyValues(every: number): Iterable<HeadValue> {
    for (const [i, shape] of NASTY.entries()) {
      for (const [j, name] of this.names.entries()) {
        const isUrl = URL_PARTS.includes(name);
        for (const [k, place] of PLACES.entries()) {
          const isMeant = isUrl
            ? (i + k) % every === 0
            : (i + j + k) % (every * PLACES.length) === 0;
          if (isMeant) yield { place, name, shape };
        }
      }
    }
  }

  async cost({ place, name, shape }: HeadValue): Promise<HeadCost> {
    const long = withValue(place, name, valueOf(shape, LONG));
    const first = await this.#bestOf(1, long);
    if (first <= MAX_MS) return { ms: first, excess: undefined };
    const ms = await this.#bestOf(SAMPLES, long);
    if (ms <= MAX_MS) return { ms, excess: undefined };
    const short = withValue(place, name, valueOf(shape, SHORT));
    const shortMs = await this.#bestOf(SAMPLES, short);
    const plain = withValue(place, name, valueOf(PLAIN, LONG));
    const plainMs = await this.#bestOf(SAMPLES, plain);
    if (ms <= shortMs * MAX_GROWTH && ms <= plainMs * MAX_TIMES) {
      return { ms, excess: undefined };
    }
    const all = [ms, shortMs, plainMs].map((each) => each.toFixed(1));
    const excess = `${name} of ${JSON.stringify(shape)}: ${all[0]} ms, ${
      all[1]
    } ms at an eighth of its length, ${all[2]} ms if of letters; at ${
      JSON.stringify(place)
    }`;
    return { ms, excess };
  }

  async #bestOf(samples: number, head: CostlyHead): Promise<number> {
    const { fetch } = this.#gateway.service;
    let best = Infinity;
    for (let sample = 0; sample < samples; sample++) {
      const request = requestOf(head);
      const startedAt = performance.now();
      const response = await fetch(request, INFO);
      best = Math.min(best, performance.now() - startedAt);
      await response.body?.cancel();
    }
    return best;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway[Symbol.asyncDispose]();
  }
}

/** What is checked: of random shapes as a property, and of nasty ones by `deno task fuzz`. */
export const COSTS = "a request is read in time proportional to its length";

/** Checks random shapes. */
export const headCostProperties: readonly Property[] = [
  asyncProperty(
    COSTS,
    fc.record({
      place: fc.constantFrom(...PLACES),
      nth: fc.nat(),
      shape: fc.record({
        before: token,
        repeated: token.filter((text) => text !== ""),
        behind: token,
      }),
    }),
    {
      share: 0.1,
      start: () => HeadWorld.start(),
      async holds({ place, nth, shape }, world) {
        const name = world.names[nth % world.names.length] ?? "";
        const { excess } = await world.cost({ place, name, shape });
        assert.equal(excess, undefined);
      },
    },
  ),
];

const ANSWER = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

/** What shows somebody the requests to `demo`. */
const WATCH: CostlyHead = {
  target: "/inspect/demo/events",
  headers: { authorization: `Bearer ${KEYS.user}` },
};

const INFO: RequestInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
  completed: Promise.resolve(),
};

function requestOf(
  { method = "GET", host, target = "/", headers = {} }: CostlyHead,
): Request {
  const authority = host === undefined ? BASE : `${host}.${BASE}`;
  const request = new Request("http://sent.test/", {
    method,
    headers: { host: authority, ...headers },
  });
  // As it came: the constructor would parse it.
  Object.defineProperty(request, "url", {
    value: `http://${authority}${target}`,
  });
  return request;
}

function valueOf({ before, repeated, behind }: Shape, bytes: number): string {
  const length = Math.max(repeated.length, 1);
  const value = before + repeated.repeat(Math.floor(bytes / length)) + behind;
  return value.replace(/^[ \t]+/, ""); // as servers take it
}

function withValue(
  place: CostlyHead,
  name: string,
  value: string,
): CostlyHead {
  if (name === "host") return { ...place, host: value };
  const { target = "/" } = place;
  if (name === "target") return { ...place, target: target + value };
  if (name === "query") return { ...place, target: `${target}?${value}` };
  if (name === "name") {
    const token = value.replaceAll(/[^!#$%&'*+.^`|~\w-]/g, "").toLowerCase();
    return { ...place, headers: { ...place.headers, [`x-${token}`]: "a" } };
  }
  return { ...place, headers: { ...place.headers, [name]: value } };
}

/** The header names that the source reads, found in it: where it reads one, and where a text looks like one; and others. */
async function headersOfSource(): Promise<string[]> {
  const names = new Set<string>(OTHERS);
  for await (
    const text of sourceFiles(new URL("../../../src/", import.meta.url))
  ) {
    for (const [, name = ""] of text.matchAll(READ)) names.add(name);
    for (const [, name = ""] of text.matchAll(NAMED)) names.add(name);
  }
  return [...names].sort();
}

const READ = /\bheaders\s*\.(?:get|has)\(\s*"([a-z][a-z0-9-]*)"/g;
const NAMED =
  /"((?:x|sec|if|accept|forwarded|content|access-control-request)-[a-z-]+)"/g;

async function* sourceFiles(folder: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const url = new URL(isDirectory ? `${name}/` : name, folder);
    if (isDirectory) yield* sourceFiles(url);
    else if (name.endsWith(".ts")) yield await Deno.readTextFile(url);
  }
}
