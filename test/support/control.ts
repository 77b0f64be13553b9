/** The control plane, for tests of its routes and of those that features add. */
import type { HostParser } from "../../src/address/preview_host.ts";
import type { Callback, Login } from "../../src/auth/login_flow.ts";
import type { LoginSessions } from "../../src/auth/login_sessions.ts";
import type { OwnCookies } from "../../src/auth/own_cookies.ts";
import type { LoginSession, SessionSealer } from "../../src/auth/session.ts";
import { type ControlRoutes, createControl } from "../../src/control/app.ts";
import { ownForm } from "../../src/downstream/http/form.ts";
import { FEATURES } from "../../src/modules.ts";
import { type RecordedLog, recordedLog } from "./event_log.ts";
import { hostParser } from "./names.ts";
import { replyTo } from "./reply_to.ts";
import { ownCookies } from "./own_cookies.ts";

/** The names of its cookies. */
export const CONTROL_COOKIES = ownCookies();
const SESSION: LoginSession = {
  kind: "login",
  id: "id",
  sandboxId: "box",
  expiresAt: 60_999,
};

/** What a feature's routes are built from. */
interface RouteParts {
  readonly parseHost: HostParser;
  readonly login: Pick<Login, "state">;
  readonly cookies: OwnCookies;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "nameOf">;
}

/** What the control plane depends on, for a test to change and look at. */
interface ControlState {
  baseDomains: string[];
  dashboardUrl: string;
  loginState: Login["state"];
  /** The failure of a callback or a logout, if it fails. */
  failure: Error | undefined;
  /** What the user behind every session is called. */
  userName: string | undefined;
  /** The ids of sessions that were ended. */
  ended: string[];
  /** The ends of further sessions by their sealed form, ms since the epoch. */
  sessions: Map<string, number>;
}

/** A request; `base` is null for a host that is no base host. */
type ControlInit = RequestInit & { base?: string | null };

/** A response. */
interface ControlAnswer {
  readonly response: Response;
  readonly status: number;
  readonly code: string | null;
  /** The values of Set-Cookie, and the names of the cookies in them. */
  readonly lines: string[];
  readonly names: string[];
}

/** A control plane under test. */
interface TestControl {
  readonly state: ControlState;
  readonly callbacks: Callback[];
  /** What was told of logins and logouts. */
  readonly accessEvents: unknown[];
  readonly recorded: RecordedLog;
  send(path: string, init?: ControlInit): Promise<ControlAnswer>;
}

/** The routes that the control plane describes, whichever features are switched on. */
export const FEATURE_DESCRIPTIONS = FEATURES.flatMap(
  ({ routes = [] }) => routes,
);

/** The control plane of `p.test`, whose every login ends with `SESSION`, with these routes of features. */
export function setUpControl(
  featureRoutes: (parts: RouteParts) => readonly ControlRoutes[] = () => [],
): TestControl {
  const recorded = recordedLog();
  const callbacks: Callback[] = [];
  const accessEvents: unknown[] = [];
  const state: ControlState = {
    baseDomains: ["p.test"],
    dashboardUrl: "https://daytona.test/dashboard",
    loginState: "on",
    failure: undefined,
    userName: undefined,
    ended: [],
    sessions: new Map(),
  };
  const login: Pick<Login, "state" | "hasSso" | "start" | "finish"> = {
    hasSso: false,
    get state() {
      return state.loginState;
    },
    start: ({ redirectUri, reauthenticate }) =>
      Promise.resolve({
        location: `https://id.test/?${redirectUri}&${reauthenticate}`,
        state: "state",
        sealed: "sealed",
      }),
    finish(callback) {
      callbacks.push(callback);
      return state.failure === undefined
        ? Promise.resolve({
          returnTo: {
            url: "https://3000-box.p.test/",
            host: {
              port: 3000,
              label: "box",
              base: "p.test",
              authoritySuffix: "p.test",
            },
          },
          challenge: undefined,
          login: { id: "id", expiresAt: Date.now() + 60_999 },
          subject: "alice",
        })
        : Promise.reject(state.failure);
    },
  };
  const sessions: Pick<SessionSealer, "open" | "seal"> = {
    seal: () => Promise.resolve("sealed"),
    open(sealed) {
      const expiresAt = state.sessions.get(sealed);
      return Promise.resolve(
        sealed === "sealed"
          ? SESSION
          : expiresAt === undefined
          ? undefined
          : { ...SESSION, expiresAt },
      );
    },
  };
  const parseHost = (authority: string) =>
    hostParser(state.baseDomains)(authority);
  const control = createControl({
    version: "0.0.0",
    scheme: "https",
    cookies: CONTROL_COOKIES,
    remoteSettings: state,
    parseHost,
    now: Date.now,
    added: {
      hasHomePage: true,
      routes: featureRoutes({
        parseHost,
        login,
        cookies: CONTROL_COOKIES,
        sessions,
        logins: {
          nameOf: (session) =>
            Promise.resolve(session === undefined ? undefined : state.userName),
        },
      }),
    },
    featureDescriptions: FEATURE_DESCRIPTIONS,
    login,
    sessionScope: "sandbox",
    sessions,
    logins: {
      grantsAccess: () => Promise.resolve(false),
      visits: () => Promise.resolve(false),
      end({ id }) {
        state.ended.push(id);
        return state.failure === undefined
          ? Promise.resolve("alice")
          : Promise.reject(state.failure);
      },
    },
    readiness: {
      check: () => Promise.resolve({ status: "ready", checks: {} }),
    },
    accessEvents: {
      loggedIn: (visit) => accessEvents.push(["login", visit]),
      loginFailed: (error) => accessEvents.push(["failed", error]),
      loggedOut: (visit) => accessEvents.push(["logout", visit]),
    },
    logger: recorded.log,
  });
  async function send(
    path: string,
    init: ControlInit = {},
  ): Promise<ControlAnswer> {
    const { base = "p.test", ...others } = init;
    const request = new Request(`https://p.test${path}`, others);
    const response = await control(
      request,
      {
        requestId: "request",
        authority: "P.test",
        namesHost: true,
        base: base ?? undefined,
        clientAddress: "203.0.113.9",
        readForm: (maxBytes) => ownForm(replyTo(request), maxBytes),
      },
    );
    const lines = response.headers.getSetCookie();
    return {
      response,
      lines,
      status: response.status,
      code: response.headers.get("x-porthole-error"),
      names: lines.map((line) => line.slice(0, line.indexOf("="))),
    };
  }
  return { state, callbacks, accessEvents, recorded, send };
}
