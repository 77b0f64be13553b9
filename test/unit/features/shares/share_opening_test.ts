/** What comes of a press where something goes wrong meanwhile, and at whose expense. */
import assert from "node:assert/strict";
import type { OpenState } from "../../../../src/auth/login_session_store.ts";
import { identityIn } from "../../../../src/auth/oidc/identity.ts";
import type { LoginRef, Session } from "../../../../src/auth/session.ts";
import { Throttle } from "../../../../src/auth/throttle.ts";
import type { ApiRequest } from "../../../../src/control/api/caller.ts";
import { type ErrorCode, GatewayError } from "../../../../src/errors.ts";
import {
  bytesOf,
  shareKind,
  SHARES,
} from "../../../../src/features/shares/share_kind.ts";
import {
  openShare,
  type ShareParts,
} from "../../../../src/features/shares/share_opening.ts";
import { SecretHashes } from "../../../../src/lib/secret_hashes.ts";
import { MemoryRecords } from "../../../support/memory_records.ts";
import { ownCookies } from "../../../support/own_cookies.ts";

const SCHEME = "https";
const HASHES = new SecretHashes(["secret"], "share");
const COOKIES = ownCookies({ scheme: SCHEME });
const PLACE = {
  id: "AAECAwQFBgcICQoLDA0ODw",
  sandboxId: "box",
  authority: "preview.test",
  expiresAt: 1,
};
const ANN = "ann@example.com";

/** The user with that address at the identity provider. */
function userOf(email: string): OpenState {
  const claims = { sub: `sub of ${email}`, email, email_verified: true };
  return {
    state: "open",
    accessToken: "access",
    expiresAt: undefined,
    issuer: "https://id.example.com",
    subject: claims.sub,
    identity: identityIn(claims, "groups"),
  };
}

/** A share of port 3000 of `box`, and a browser with these logins at the base host; one that is an error cannot be judged. */
async function setUp(
  differences: object = {},
  logins: readonly (OpenState | GatewayError)[] = [],
) {
  const login = { state: "on" as "on" | "unknown" };
  const kind = shareKind({
    scheme: SCHEME,
    login,
    hashes: HASHES,
    maxLifeSec: 600,
  });
  const wish = { sandbox: "box", port: 3000, ...differences };
  const { data: own, toldOnce } = await kind
    .make(kind.asked.parse(wish), PLACE);
  const records = new MemoryRecords();
  const { id, sandboxId } = PLACE;
  await records.put(SHARES, {
    id,
    sandboxId,
    organizationId: null,
    createdAt: 1,
    expiresAt: null,
    data: { createdBy: null, note: null, own },
  }, "absent");
  const charges: number[] = [];
  const issued: unknown[] = [];
  const sessions = new Map<string, Session>();
  const expiresAt = Infinity;
  const cookies = logins.map((_, i) => {
    sessions.set(`user${i}`, { kind: "user", id: String(i), expiresAt });
    return `${COOKIES.userSession(String(i))}=user${i}`;
  });
  const parts = {
    records,
    hashes: HASHES,
    cookies: COOKIES,
    login,
    scheme: SCHEME,
    throttle: new Throttle({
      refusalsPerMinute: 10,
      lookups: 10,
      maxClients: 10,
      now: () => 0,
      onCharge: (_, count) => void charges.push(count),
    }),
    codes: {
      issue(grant: unknown) {
        issued.push(grant);
        return Promise.resolve("code");
      },
    },
    sessions: {
      open: (sealed: string) => Promise.resolve(sessions.get(sealed)),
    },
    logins: {
      userOf({ id }: LoginRef) {
        const found = logins[Number(id)];
        return found instanceof GatewayError
          ? Promise.reject(found)
          : Promise.resolve(found);
      },
    },
    subjects: { ofUser: () => "hash" },
    accessEvents: { refused() {} },
    metrics: { grant() {} },
  } as unknown as ShareParts;

  /** Presses; these cookies come first. */
  async function press(...before: string[]): Promise<string> {
    const cookie = [...before, ...cookies].join("; ");
    const raw = new Request(`https://preview.test/s/${id}`, {
      method: "POST",
      headers: { cookie },
    });
    const request = {
      req: { raw },
      env: {
        requestId: "request",
        clientAddress: "192.0.2.1",
        authority: "preview.test",
      },
    } as unknown as ApiRequest;
    const secret = new URL(String(toldOnce["url"])).hash.slice(1);
    assert(HASHES.match(bytesOf("secret", id, secret), own.secretHash));
    return await openShare(request, { id, secret }, parts);
  }
  return { login, records, sessions, charges, issued, press };
}

/** Has a press fail with that code. */
async function fails(pressed: Promise<string>, code: ErrorCode): Promise<void> {
  await assert.rejects(pressed, { code });
}

Deno.test("who has logged in with one of the addresses goes with the code", async () => {
  const { press, issued, charges } = await setUp({ emails: [ANN] }, [
    userOf("bob@example.com"),
    userOf(ANN),
  ]);
  const url = await press();
  assert.equal(url, "https://3000-box.preview.test/?porthole_token=code");
  assert.deepEqual(issued, [{
    id: PLACE.id,
    sandboxId: "box",
    port: 3000,
    subject: "hash",
    user: ["https://id.example.com", `sub of ${ANN}`],
  }]);
  assert.deepEqual(charges, []);
});

Deno.test("a login for a sandbox, whose cookie any sandbox's page can set, is none at the base host", async () => {
  const { press, sessions, charges } = await setUp({ emails: [ANN] }, [
    userOf("bob@example.com"),
  ]);
  sessions.delete("user0");
  const expiresAt = Infinity;
  const session = { id: "0", expiresAt, sandboxId: "box" };
  sessions.set("planted", { kind: "login", ...session });
  const cookie = `${COOKIES.loginSession("box")}=planted`;
  await fails(press(cookie), "login_required");
  await fails(
    press(`${COOKIES.userSession("0")}=planted`),
    "login_required",
  );
  assert.deepEqual(charges, []);
});

Deno.test("while nobody can tell who has logged in, a press says so, and costs its client nothing", async () => {
  const away = new GatewayError("session_unavailable", "The store is away");
  const { press, login, charges } = await setUp({ emails: [ANN] }, [
    away,
    userOf("bob@example.com"),
  ]);
  await fails(press(), "session_unavailable");
  login.state = "unknown";
  await fails(press(), "login_unavailable");
  assert.deepEqual(charges, []);
});

Deno.test("a login that cannot be judged does not spoil another one", async () => {
  const old = new GatewayError("login_unavailable", "No provider answers");
  const { press } = await setUp({ emails: [ANN] }, [old, userOf(ANN)]);
  assert.match(await press(), /porthole_token=code$/);
});

Deno.test("a login with another address is refused, at its client's expense", async () => {
  const { press, charges } = await setUp({ emails: [ANN] }, [
    userOf("bob@example.com"),
  ]);
  await fails(press(), "share_for_others");
  assert.deepEqual(charges, [1]);
});

Deno.test("a share that is ended while a use of it is taken opens nothing", async () => {
  const { press, records, issued } = await setUp({ uses: 2 });
  const put = records.put.bind(records);
  records.put = async (...asked) => {
    await records.delete(SHARES, PLACE.id);
    return await put(...asked);
  };
  await fails(press(), "share_invalid");
  assert.deepEqual(issued, []);
  assert.equal(await records.get(SHARES, PLACE.id), undefined);
});

Deno.test("while the store is away, a press uses nothing up, opens nothing and costs its client nothing", async () => {
  const { press, records, issued, charges } = await setUp({ uses: 1 });
  records.isAway = true;
  await fails(press(), "records_unavailable");
  assert.deepEqual([issued, charges], [[], []]);
  records.isAway = false;
  assert.match(await press(), /porthole_token=code$/);
});

Deno.test("a use that the store has no room to note is refused, and opens nothing", async () => {
  const { press, records, issued } = await setUp({ uses: 2 });
  records.update = () => Promise.resolve("full");
  await fails(press(), "records_full");
  assert.deepEqual(issued, []);
});

Deno.test("of presses at once, as many open a share as it has uses, and the others are told so", async () => {
  const { press, issued } = await setUp({ uses: 2 });
  const pressed = await Promise.allSettled([press(), press(), press()]);
  const codes = pressed.flatMap((each) =>
    each.status === "rejected" ? [each.reason.code] : []
  );
  assert.deepEqual(codes, ["share_used_up"]);
  assert.equal(issued.length, 2);
});
