import assert from "node:assert/strict";
import { viaOf } from "../../../support/feature_words.ts";
import { Gate } from "../../../../src/auth/gate.ts";
import { GrantAccess } from "../../../../src/auth/grant_access.ts";
import type { Grant } from "../../../../src/auth/grants.ts";
import { Throttle } from "../../../../src/auth/throttle.ts";
import type { Members } from "../../../../src/control/api/members.ts";
import { EVERYBODY } from "../../../../src/config/port_rules.ts";
import { GatewayError } from "../../../../src/errors.ts";
import {
  handleState,
  stateRoute,
} from "../../../../src/features/preview_state/preview_state.ts";
import { Exchange } from "../../../../src/gateway/exchange.ts";
import { ownRoute } from "../../../../src/gateway/route.ts";
import { PreviewLooks } from "../../../../src/gateway/preview_looks.ts";
import type {
  GrantUsed,
  RefusedAccess,
} from "../../../../src/observability/access_events.ts";
import {
  exchangeServices,
  incomingRequest,
} from "../../../support/exchange.ts";

const GRANT: Grant = {
  via: viaOf("token"),
  id: "id",
  sandboxId: "box",
  ports: [3000],
  expiresAt: Infinity,
};

/** Answers requests for the state of previews; `pp_good` is good for port 3000 of `box`. */
function setUp() {
  const asked: string[] = [];
  const logged: string[] = [];
  const grants = new GrantAccess(() => 0);
  grants.use([{
    via: [viaOf("token")],
    recognizes: (secret) => secret.startsWith("pp_"),
    open: ({ secret }, { sandboxId }) =>
      Promise.resolve(
        secret === "pp_good" && sandboxId === "box" ? GRANT : undefined,
      ),
    reopen: () => Promise.resolve(undefined),
  }]);
  const never = () => Promise.reject(new Error("Not reached"));
  const gate = new Gate({
    sandboxes: {
      isPublic: () => Promise.resolve(true),
      sandboxIdOf: (id) => id,
    },
    access: {
      isPreviewToken: never,
      hasAccess(_, { bearer }) {
        asked.push(bearer);
        return Promise.resolve(false);
      },
      sandboxOfSignedToken: never,
      signingKeyOf: never,
    },
    ports: {
      labelsOpen: false,
      accessTo: () => Promise.resolve(EVERYBODY),
      refresh: () => Promise.resolve(),
    },
    sessions: { open: never },
    logins: {
      grantsAccess: never,
      opens: never,
      visits: never,
      subjectOf: () => undefined,
    },
    subjects: { ofUser: () => undefined, ofBearer: () => undefined },
    grants,
    throttle: new Throttle({
      refusalsPerMinute: 100,
      lookups: 10,
      maxClients: 10,
      now: () => 0,
    }),
    scope: "sandbox",
  });
  const members: Pick<Members, "callerOf" | "admit"> = {
    callerOf() {
      throw new GatewayError("login_required", "test");
    },
    admit: never,
  };
  const seen = { state: "started", code: null, retryAfterSec: undefined };
  const looks = new PreviewLooks(
    { look: () => Promise.resolve(seen) },
    () => 0,
  );
  /** The answer's status, and the body or the code. */
  async function ask(
    target: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<[status: number, told: unknown]> {
    const { services } = exchangeServices();
    const incoming = incomingRequest({}, headers);
    const own = ownRoute("preview_state", incoming);
    const x = new Exchange(incoming, own, services);
    const route = stateRoute(`/api/v1/previews/${target}`) ?? assert.fail();
    const draining = new AbortController().signal;
    const now = () => 0;
    const parts = {
      base: "test",
      gate,
      members: members as Members,
      accessEvents: {
        usedGrant: ({ grant }: GrantUsed) => void logged.push(grant.id),
        refused: ({ code, sandboxId, port }: RefusedAccess) =>
          void logged.push(`${code} ${sandboxId} ${port}`),
      },
      looks,
      draining,
      now,
      scheme: services.scheme,
    };
    try {
      const { status, body } = await handleState(x, route, parts);
      return [status, await new Response(body).json()];
    } catch (error) {
      assert(error instanceof GatewayError);
      return [error.status, error.code];
    }
  }
  return { ask, asked, logged };
}

Deno.test("whoever has a grant for the port is told its state, by a header or as a bearer", async () => {
  const { ask, asked } = setUp();
  for (
    const headers of [
      { "x-porthole-token": "pp_good" },
      { authorization: "Bearer pp_good" },
      { "x-porthole-token": "pp_bad", authorization: "Bearer pp_good" },
    ]
  ) {
    const [status, told] = await ask("box/3000", headers);
    assert.deepEqual([status, told], [200, {
      sandboxId: "box",
      port: 3000,
      state: "started",
      code: null,
      ready: true,
      url: "http://3000-box.3000-box.test/",
    }]);
  }
  assert.deepEqual(asked, [], "the API is shown no grant");
});

Deno.test("a grant's uses and refusals are logged", async () => {
  const { ask, logged } = setUp();
  await ask("box/3000", { "x-porthole-token": "pp_good" });
  await ask("box/3001", { "x-porthole-token": "pp_good" });
  assert.deepEqual(logged, ["id", "grant_invalid box 3001"]);
});

Deno.test("a grant for another port or sandbox, and one that is not good, are refused, also where a sandbox is public", async () => {
  const { ask } = setUp();
  for (
    const [target, secret] of [
      ["box/3001", "pp_good"],
      ["box/22222", "pp_good"],
      ["other/3000", "pp_good"],
      ["box/3000", "pp_bad"],
    ] as const
  ) {
    assert.deepEqual(await ask(target, { "x-porthole-token": secret }), [
      401,
      "grant_invalid",
    ], `${target} ${secret}`);
  }
  assert.deepEqual(await ask("box/3000", {}), [401, "login_required"]);
  const authorization = "Bearer another";
  assert.deepEqual(await ask("box/3000", { authorization }), [
    404,
    "not_found",
  ]);
});
