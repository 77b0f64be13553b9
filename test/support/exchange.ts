/** The parts of an exchange, for tests of what is done with one. */
import type { ExchangeServices } from "../../src/gateway/exchange_services.ts";
import {
  type PreviewExchange,
  previewExchange,
} from "../../src/gateway/preview_route.ts";
import type { ReceivedRequest } from "../../src/gateway/received_request.ts";
import type { ClientLeg } from "../../src/downstream/http/reply.ts";
import { ByteBudget } from "../../src/stream/byte_budget.ts";
import type { ExchangeRecord } from "../../src/observability/access_log.ts";
import { loggerFor } from "../../src/observability/log.ts";
import {
  LeakedSockets,
  type RiskyUpload,
} from "../../src/downstream/http/leaked_sockets.ts";
import { UntakenAnswers } from "../../src/downstream/http/untaken.ts";
import { ReadSizes } from "../../src/downstream/http/read_sizes.ts";
import type { AdmittedRequest } from "../../src/proxy/forward.ts";
import { InFlight } from "../../src/proxy/in_flight.ts";
import { ownCookies } from "./own_cookies.ts";

/** The parts that exchanges share, with these differences, and records of what they tell. */
export function exchangeServices(
  { clientLeg, ...differences }:
    & Partial<Omit<ExchangeServices, "clientLeg">>
    & {
      readonly clientLeg?: Partial<ClientLeg>;
    } = {},
): {
  readonly clock: { now: number };
  readonly inFlight: InFlight;
  readonly records: ExchangeRecord[];
  readonly services: ExchangeServices;
  /** The calls of the sandbox's activity. */
  readonly uses: string[];
} {
  const clock = { now: 1000 };
  const records: ExchangeRecord[] = [];
  const uses: string[] = [];
  const inFlight = new InFlight({
    concurrentExchanges: 10,
    exchangesPerSandbox: 1,
    tunnelsPerSandbox: 1,
    exchangesPerClient: 10,
    tunnels: 1,
    tunnelsPerClient: 1,
  });
  const services: ExchangeServices = {
    corsMode: "off",
    edgeCache: "off",
    limits: { targetBytes: 100, headerFields: 10, headerBytes: 1000 },
    trustedProxies: [],
    inFlight,
    activity: {
      touch: (id) => void uses.push(`touch ${id}`),
      begin(id) {
        uses.push(`begin ${id}`);
        return () => void uses.push(`end ${id}`);
      },
    },
    clientLeg: {
      leakedSockets: new LeakedSockets(() => clock.now, () => {}),
      readSizes: new ReadSizes(),
      budget: new ByteBudget({ limitBytes: Infinity }),
      untaken: new UntakenAnswers({ max: Infinity, now: () => clock.now }),
      ...clientLeg,
    },
    onRecord: (record) => void records.push(record),
    observer: undefined,
    guard: undefined,
    ownersViewOf: undefined,
    logger: loggerFor("test"),
    now: () => clock.now,
    scheme: "http",
    remoteSettings: { dashboardUrl: "http://daytona.test/dashboard" },
    cookies: ownCookies({ scheme: "http" }),
    grants: { owns: () => false },
    ownParameters: [],
    sessionScope: "sandbox",
    allowedOrigins: new Set(),
    frameAncestors: undefined,
    ...differences,
  };
  return { clock, inFlight, records, services, uses };
}

/** A request to port 3000 of the sandbox `box`, as it came. */
export function incomingRequest(
  init?: RequestInit,
  headers: Readonly<Record<string, string>> = {},
): ReceivedRequest {
  const request = new Request("http://3000-box.test/", init);
  return {
    id: "id",
    request,
    method: request.method,
    headers: new Headers(headers),
    authority: "3000-box.test",
    target: "/",
    client: {
      clientAddress: "127.0.0.1",
      forwarded: { host: "3000-box.test", proto: "http", for: "127.0.0.1" },
    },
    connection: "127.0.0.1:50000",
    socket: undefined,
    isHttp2: false,
    startedAt: 1000,
    delivered: () => Promise.resolve(),
    onBodyRead: undefined,
  };
}

/** The preview host that {@linkcode incomingRequest} is for. */
export const PREVIEW_HOST = {
  port: 3000,
  label: "box",
  base: "test",
  authoritySuffix: "test",
} as const;

/** The exchange of a GET of that preview host that has these fields, with these differences. */
export function previewOf(
  headers: Readonly<Record<string, string>> = {},
  { services = {}, host = {}, client = "127.0.0.1", ...request }: {
    readonly method?: string;
    readonly target?: string;
    readonly client?: string;
    readonly host?: Partial<PreviewExchange["route"]["host"]>;
    readonly services?: Partial<Omit<ExchangeServices, "clientLeg">>;
  } = {},
): PreviewExchange {
  const incoming = incomingRequest({}, headers);
  const received = {
    ...incoming,
    ...request,
    client: { ...incoming.client, clientAddress: client },
  };
  const given = exchangeServices(services);
  const asked = { ...PREVIEW_HOST, ...host };
  return previewExchange(received, asked, given.services);
}

/** An admitted GET of port 3000 of the sandbox `box`, with these differences. */
export function admittedRequest(
  differences: Partial<AdmittedRequest> = {},
): AdmittedRequest {
  const { signal } = new AbortController();
  return {
    id: "id",
    method: "GET",
    headers: new Headers(),
    body: null,
    contentLength: null,
    appTarget: "/",
    sandboxId: "box",
    sandboxPort: 3000,
    forwarded: { host: "3000-box.test", proto: "http", for: "127.0.0.1" },
    isAnonymous: false,
    clientAddress: "127.0.0.1",
    dropsAuthorization: false,
    appAddress: { port: 3000, publicOrigin: "http://3000-box.test" },
    reply: {
      signal: () => signal,
      mayRead: () => true,
      mayGather: () => true,
    },
    onResolved() {},
    progress: { onMiss() {}, onUpload() {} },
    ...differences,
  };
}

/** An upload of which a read waits until it is told to end. */
export interface FakeUpload {
  readonly upload: RiskyUpload;
  readonly isAbandoned: boolean;
  endRead(): void;
}

export function fakeUpload({ isChunked = false } = {}): FakeUpload {
  const read = Promise.withResolvers<void>();
  let isReading = true;
  const upload = {
    idle: () => isReading ? read.promise : undefined,
    abandon() {
      upload.isAbandoned = true;
      read.resolve();
    },
    isAbandoned: false,
    isChunked,
  };
  const fake = {
    upload,
    get isAbandoned() {
      return upload.isAbandoned;
    },
    endRead() {
      isReading = false;
      read.resolve();
    },
  };
  return fake;
}
