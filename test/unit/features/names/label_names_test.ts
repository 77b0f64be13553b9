import assert from "node:assert/strict";
import { Throttle } from "../../../../src/auth/throttle.ts";
import { GatewayError } from "../../../../src/errors.ts";
import { LabelNames } from "../../../../src/features/names/label_names.ts";
import { NameTable } from "../../../../src/features/names/name_table.ts";
import { backgroundWork } from "../../../support/background_work.ts";
import { Background } from "../../../../src/lib/background.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { nameOf } from "./name_of.ts";

const BASE = "preview.example.com";
const SHOP = `shop.${BASE}`;
const BUDGET = 20;

const CLIENT = { clientAddress: "192.0.2.1", isSentByPage: false };
const OTHER = { clientAddress: "192.0.2.2", isSentByPage: false };

/** The answer about an alias: the labels of the sandbox, and its id. */
interface Listed {
  readonly id: string;
  readonly labels: Record<string, string>;
}

/** The sandbox with the label of `shop`. */
function labelled(id: string, more: Record<string, string> = {}): Listed {
  return { id, labels: { "porthole.name": "shop", ...more } };
}

/** Names by label, and what they ask and have moved; `open` are the names that WebSockets are open by. */
function setUp() {
  const clock = fakeClock();
  const work = backgroundWork();
  const moved: string[] = [];
  const asked: string[] = [];
  const open = new Set<string>();
  const table = new NameTable((hosts) => moved.push(...hosts));
  const world = {
    clock,
    work,
    moved,
    asked,
    open,
    table,
    /** What the API answers. */
    answer: (alias: string): Promise<readonly Listed[] | null> =>
      Promise.resolve(alias === "shop" ? [labelled("box")] : []),
  };
  const parts = {
    api: {
      newestStarted(label: string, alias: string) {
        assert.equal(label, "porthole.name");
        asked.push(alias);
        return world.answer(alias);
      },
    },
    throttle: new Throttle({
      refusalsPerMinute: BUDGET,
      lookups: 5,
      maxClients: 10,
      now: Date.now,
    }),
    inFlight: { namesInUse: open },
    background: new Background(() => {}),
    now: Date.now,
    table,
    rules: () => ({ baseDomains: [BASE], namesDomain: BASE }),
  };
  const names = new LabelNames(
    parts as unknown as ConstructorParameters<typeof LabelNames>[0],
  );
  return {
    ...world,
    world,
    names,
    [Symbol.dispose]() {
      names.close();
      work[Symbol.dispose]();
      clock[Symbol.dispose]();
    },
  };
}

Deno.test("an alias is asked about once for many, and then known for 30 s", async () => {
  using up = setUp();
  const { names, table, clock, asked } = up;
  const waiting = [CLIENT, OTHER, CLIENT].map((of) => names.learn(SHOP, of));
  await Promise.all(waiting);
  assert(waiting.every((each) => each !== undefined));
  assert.deepEqual(table.find(SHOP), {
    sandboxId: "box",
    port: 3000,
    isSuspended: false,
  });
  assert.deepEqual(Object.fromEntries(table.of("box") ?? []), { [SHOP]: 3000 });
  clock.pass(29_999);
  assert.equal(names.learn(SHOP, CLIENT), undefined);
  assert.deepEqual(asked, ["shop"]);
});

Deno.test("the port is that of a label, and one that can be no name's leads nowhere", async () => {
  for (
    const [text, port] of [
      ["8000", 8000],
      ["2280", undefined],
      ["22222", undefined],
      ["0", undefined],
      ["", undefined],
      ["65536", undefined],
      ["http", undefined],
    ] as const
  ) {
    using up = setUp();
    const box = labelled("box", { "porthole.name.port": text });
    up.world.answer = () => Promise.resolve([box]);
    await up.names.learn(SHOP, CLIENT);
    assert.equal(up.table.find(SHOP)?.port, port, text);
  }
});

Deno.test("a sandbox that the API tells of, but whose label says something else, has not that name", async () => {
  using up = setUp();
  const labels = { "porthole.name": "other" };
  up.world.answer = () => Promise.resolve([{ id: "box", labels }]);
  await up.names.learn(SHOP, CLIENT);
  assert.equal(up.table.find(SHOP), undefined);
});

Deno.test("hosts that can be no alias, and names that are kept, are not asked about", () => {
  using up = setUp();
  const { names, table, asked } = up;
  table.replaceShared([nameOf(SHOP)]);
  table.replaceFile(new Map([[`docs2.${BASE}`, { sandboxId: "b", port: 80 }]]));
  const reserved = ["www", "api", "login", "mail", "ns1", "xn--shop"];
  const odd = ["3000-box", "a.b", "-x", "a_b", "9a", "abcdefghijklmnop"];
  for (
    const host of [
      SHOP,
      `docs2.${BASE}`,
      BASE,
      "shop.other.example.com",
      "192.0.2.7",
      "localhost",
      ...[...reserved, ...odd].map((label) => `${label}.${BASE}`),
    ]
  ) assert.equal(names.learn(host, CLIENT), undefined, host);
  assert.deepEqual(asked, []);
});

Deno.test("a thousand made-up aliases of a client cost its budget of calls, and nobody else's", async () => {
  using up = setUp();
  const { names, asked } = up;
  const codes = new Set<string | undefined>();
  for (let i = 0; i < 1000; i++) {
    await names.learn(`made-up-${i}.${BASE}`, CLIENT)?.catch(
      (error: unknown) => {
        assert(error instanceof GatewayError);
        codes.add(error.code);
      },
    );
  }
  assert.equal(asked.length, BUDGET);
  assert.deepEqual([...codes], ["too_many_refusals"]);
  await names.learn(SHOP, OTHER);
  assert.equal(asked.at(-1), "shop");
  // What is known costs nobody anything.
  assert.equal(names.learn(SHOP, CLIENT), undefined);
});

Deno.test("that an alias leads nowhere is known for 30 s, too", async () => {
  using up = setUp();
  const { names, clock, asked } = up;
  const host = `none.${BASE}`;
  await names.learn(host, CLIENT);
  clock.pass(29_999);
  assert.equal(names.learn(host, CLIENT), undefined);
  clock.pass(1);
  await names.learn(host, CLIENT);
  assert.deepEqual(asked, ["none", "none"]);
});

Deno.test("an answer of 30 s is renewed while nobody waits, and one of more than 60 s is waited for", async () => {
  using up = setUp();
  const { names, table, clock, work, moved, world } = up;
  await names.learn(SHOP, CLIENT);
  world.answer = () => Promise.resolve([labelled("second")]);
  clock.pass(30_000);
  assert.equal(names.learn(SHOP, CLIENT), undefined);
  await work.settled();
  assert.equal(table.find(SHOP)?.sandboxId, "second");
  assert.deepEqual(moved, [SHOP]);
  world.answer = () => Promise.resolve([labelled("third")]);
  clock.pass(60_000);
  await names.learn(SHOP, CLIENT);
  assert.equal(table.find(SHOP)?.sandboxId, "third");
});

Deno.test("an alias by which a WebSocket is open is renewed every 30 s though nobody comes by it", async () => {
  using up = setUp();
  const { names, clock, work, moved, asked, open, world } = up;
  await names.learn(SHOP, CLIENT);
  await names.learn(`none.${BASE}`, CLIENT);
  clock.pass(30_000);
  assert.equal(asked.length, 2);
  open.add(SHOP).add("").add(`unknown.${BASE}`);
  world.answer = () => Promise.resolve([]);
  clock.pass(30_000);
  await work.settled();
  assert.deepEqual(asked.slice(2), ["shop"]);
  assert.deepEqual(moved, [SHOP]);
});

Deno.test("while the API is away the last answer stays, and is asked for again after 30 s", async () => {
  using up = setUp();
  const { names, table, clock, asked, world, moved } = up;
  await names.learn(SHOP, CLIENT);
  const { answer } = world;
  const away = new GatewayError("api_unreachable", "Away");
  world.answer = () => Promise.reject(away);
  clock.pass(3_600_000);
  await names.learn(SHOP, CLIENT);
  assert.equal(names.learn(SHOP, CLIENT), undefined);
  assert.equal(table.find(SHOP)?.sandboxId, "box");
  assert.deepEqual(moved, []);
  await assert.rejects(
    async () => await names.learn(`new.${BASE}`, CLIENT),
    away,
  );
  world.answer = answer;
  await names.learn(`new.${BASE}`, CLIENT);
  clock.pass(30_000);
  names.learn(SHOP, CLIENT);
  assert.deepEqual(asked, ["shop", "shop", "new", "new", "shop"]);
});

Deno.test("a key that may list no sandboxes does not end names, nor make any host unknown", async () => {
  using up = setUp();
  up.world.answer = () => Promise.resolve(null);
  const learning = async () => await up.names.learn(SHOP, CLIENT);
  await assert.rejects(learning, { code: "api_unreachable" });
  await assert.rejects(learning, { code: "api_unreachable" });
});
