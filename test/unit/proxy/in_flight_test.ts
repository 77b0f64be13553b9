import assert from "node:assert/strict";
import {
  keepDescriptors,
  ranOutOfDescriptors,
} from "../../../src/lib/descriptors.ts";
import { InFlight } from "../../../src/proxy/in_flight.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const MANY = {
  concurrentExchanges: 10,
  exchangesPerSandbox: 10,
  tunnelsPerSandbox: 10,
  exchangesPerClient: 10,
  tunnels: 10,
  tunnelsPerClient: 10,
};

const recheck = () => Promise.resolve(true);

Deno.test("InFlight admits up to its limit and again when one ended", () => {
  const inFlight = new InFlight({ ...MANY, concurrentExchanges: 2 });
  const entry = inFlight.begin();
  assert(entry !== undefined && inFlight.begin() !== undefined);
  assert.equal(inFlight.begin(), undefined);
  entry.end();
  entry.end();
  assert.equal(inFlight.count, 1);
  assert(inFlight.begin() !== undefined);
});

Deno.test("InFlight is idle when the last one ended, every time", async () => {
  const inFlight = new InFlight(MANY);
  await inFlight.idle();
  for (let round = 0; round < 2; round++) {
    const entries = [inFlight.begin(), inFlight.begin()];
    let isIdle = false;
    const idle = inFlight.idle().then(() => isIdle = true);
    entries[0]?.end();
    await Promise.resolve();
    assert(!isIdle);
    entries[1]?.end();
    await idle;
  }
});

Deno.test("InFlight knows its tunnels, and when the last of them is over", async () => {
  const inFlight = new InFlight(MANY);
  await inFlight.noTunnels();
  const [tunnel, exchange] = [inFlight.begin(), inFlight.begin()];
  tunnel?.reserveTunnel();
  assert.deepEqual([inFlight.count, inFlight.tunnelCount], [2, 1]);
  const over = inFlight.noTunnels();
  tunnel?.end();
  await over;
  tunnel?.reserveTunnel();
  assert.deepEqual([inFlight.count, inFlight.tunnelCount], [1, 0]);
  exchange?.end();
  assert.deepEqual([inFlight.count, inFlight.tunnelCount], [0, 0]);
});

Deno.test("InFlight knows when what was there at the start of the drain is over, whatever came since", async () => {
  const inFlight = new InFlight(MANY);
  const before = inFlight.begin();
  inFlight.startDraining();
  inFlight.begin();
  let isOver = false;
  const over = inFlight.drained().then(() => isOver = true);
  inFlight.startDraining(); // does not wait for what came since
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!isOver);
  before?.end();
  await over;
  assert.equal(inFlight.count, 1);
});

Deno.test("InFlight aborts what is still going on, and nothing that ended", () => {
  const inFlight = new InFlight(MANY);
  const aborted: string[] = [];
  for (const name of ["ended", "open"]) {
    const entry = inFlight.begin();
    assert(entry !== undefined);
    entry.setHandle({ abort: () => aborted.push(name), recheck });
    if (name === "ended") entry.end();
  }
  inFlight.begin();
  inFlight.abortAll();
  assert.deepEqual(aborted, ["open"]);
});

Deno.test("InFlight aborts what streams one after another over a time, and leaves alone what ends meanwhile", async () => {
  const inFlight = new InFlight(MANY);
  const events: string[] = [];
  const entries = Array.from({ length: 5 }, (_, i) => {
    const entry = inFlight.begin();
    entry?.setHandle({ abort: () => events.push(`abort ${i}`), recheck });
    return entry;
  });
  const { signal } = new AbortController();
  await inFlight.abortWithin(100, signal, (ms) => {
    events.push(`wait ${ms}`);
    if (events.length === 2) entries[1]?.end();
    return Promise.resolve();
  });
  assert.deepEqual(events, [
    "abort 0",
    "wait 20",
    "wait 20",
    "abort 2",
    "wait 20",
    "abort 3",
    "wait 20",
    "abort 4",
  ]);
});

Deno.test("InFlight aborts many together where there is too little time for each alone, and none after the second signal", async () => {
  const inFlight = new InFlight(MANY);
  const closing = new AbortController();
  let aborted = 0;
  for (let i = 0; i < 8; i++) {
    inFlight.begin()?.setHandle({ abort: () => aborted++, recheck });
  }
  const seen: number[] = [];
  await inFlight.abortWithin(60, closing.signal, () => {
    seen.push(aborted);
    if (seen.length === 2) closing.abort();
    return Promise.reject(new Error("aborted"));
  });
  assert.deepEqual(seen, [3, 6]);
  assert.equal(aborted, 6);
});

Deno.test("InFlight ends by its latest handle only, and by none that comes after its end", () => {
  const inFlight = new InFlight(MANY);
  const aborted: string[] = [];
  const handle = (name: string) => ({
    abort: () => aborted.push(name),
    recheck,
  });
  const [entry, ended] = [inFlight.begin(), inFlight.begin()];
  entry?.setHandle(handle("upload"));
  entry?.setHandle(handle("download"));
  ended?.end();
  ended?.setHandle(handle("late"));
  inFlight.abortAll();
  assert.deepEqual(aborted, ["download"]);
});

Deno.test("InFlight gives one sandbox no more than its share, and again what it gave back", () => {
  const inFlight = new InFlight({ ...MANY, exchangesPerSandbox: 2 });
  const entries = Array.from({ length: 4 }, () => inFlight.begin());
  const admitted = entries.slice(0, 3).map((entry) => entry?.reserveFor("a"));
  assert.deepEqual(admitted, [true, true, false]);
  assert.equal(entries[3]?.reserveFor("b"), true);
  entries[2]?.end(); // it had reserved nothing
  assert.equal(inFlight.begin()?.reserveFor("a"), false);
  entries[0]?.end();
  entries[0]?.end();
  assert.equal(inFlight.begin()?.reserveFor("a"), true);
  assert.equal(inFlight.begin()?.reserveFor("a"), false);
});

Deno.test("InFlight gives all sandboxes of one organization no more than their share, counting nothing twice", () => {
  const inFlight = new InFlight({ ...MANY, exchangesPerOrganization: 2 });
  const entries = Array.from({ length: 3 }, () => inFlight.begin());
  const reserve = () =>
    entries.map((entry) => entry?.reserveForOrganization("acme"));
  assert.deepEqual(reserve(), [true, true, false]);
  assert.deepEqual(reserve(), [true, true, false]);
  assert.equal(inFlight.begin()?.reserveForOrganization("other"), true);
  const [, , limit] = inFlight.limitsPerEach();
  const name = "MAX_EXCHANGES_PER_ORGANIZATION";
  assert.deepEqual(limit, { name, used: 2, limit: 2 });
  entries[0]?.end();
  assert.equal(entries[2]?.reserveForOrganization("acme"), true);
});

Deno.test("InFlight counts no organizations without a limit of theirs", () => {
  const inFlight = new InFlight(MANY);
  assert.equal(inFlight.begin()?.reserveForOrganization("acme"), true);
  assert(!inFlight.limitsPerEach().some(({ name }) => /ORGAN/.test(name)));
});

Deno.test("InFlight has no more tunnels than allowed, and room for one when one is over", () => {
  const inFlight = new InFlight({ ...MANY, tunnels: 1 });
  const [first, second] = [inFlight.begin(), inFlight.begin()];
  assert.equal(first?.reserveTunnel(), undefined);
  assert.equal(first?.reserveTunnel(), undefined); // it has its place
  assert.equal(second?.reserveTunnel(), "all");
  first?.end();
  assert.equal(second?.reserveTunnel(), undefined);
});

Deno.test("InFlight gives the places of an exchange back once its WebSocket is open, and its places of a WebSocket at its end", () => {
  const inFlight = new InFlight({
    ...MANY,
    concurrentExchanges: 1,
    exchangesPerSandbox: 1,
    exchangesPerOrganization: 1,
    exchangesPerClient: 1,
    tunnels: 2,
    tunnelsPerClient: 1,
  });
  function begin() {
    const entry = inFlight.begin();
    return entry?.reserveForClient("a") && entry.reserveFor("box")
      ? entry
      : undefined;
  }
  const tunnel = begin();
  assert.equal(tunnel?.reserveTunnel(), undefined);
  assert.equal(tunnel?.reserveForOrganization("acme"), true);
  assert.equal(begin(), undefined, "a handshake is an exchange");
  assert.equal(inFlight.exchangeCount, 1);
  tunnel?.openTunnel();
  tunnel?.openTunnel();
  assert.deepEqual(
    [inFlight.count, inFlight.tunnelCount, inFlight.exchangeCount],
    [1, 1, 0],
  );
  const request = begin();
  assert.equal(request?.reserveForOrganization("acme"), true);
  assert.equal(begin(), undefined);
  assert.equal(request?.reserveTunnel(), "client");
  request?.end();
  tunnel?.end();
  tunnel?.end();
  assert.deepEqual(
    [inFlight.count, inFlight.tunnelCount, inFlight.exchangeCount],
    [0, 0, 0],
  );
  const next = begin();
  assert.equal(next?.reserveTunnel(), undefined);
  assert.equal(next?.reserveForOrganization("acme"), true);
});

Deno.test("InFlight gives the open WebSockets of a sandbox a limit of their own, and those of an organization that of its requests", () => {
  const inFlight = new InFlight({
    ...MANY,
    exchangesPerSandbox: 1,
    tunnelsPerSandbox: 2,
    exchangesPerOrganization: 3,
  });
  function open(sandbox: string) {
    const entry = inFlight.begin() ?? assert.fail();
    assert.equal(entry.reserveFor(sandbox), true);
    const full = entry.reserveTunnel() ??
      (entry.reserveForOrganization("acme") ? undefined : "organization");
    if (full === undefined) entry.openTunnel();
    else entry.end();
    return full;
  }
  assert.deepEqual(
    ["a", "a", "a", "b", "b", "b"].map(open),
    [
      undefined,
      undefined,
      "sandbox",
      undefined,
      "organization",
      "organization",
    ],
  );
  assert.deepEqual(inFlight.limitsPerEach().slice(0, 3), [
    { name: "MAX_EXCHANGES_PER_SANDBOX", used: 0, limit: 1 },
    { name: "TUNNELS_PER_SANDBOX", used: 2, limit: 2 },
    { name: "MAX_EXCHANGES_PER_ORGANIZATION", used: 3, limit: 3 },
  ]);
  assert.equal(inFlight.tunnelCount, 3, "who was refused has no place");
});

Deno.test("InFlight rechecks the open WebSocket of a sandbox that has become private and has nothing else under way", async () => {
  const inFlight = new InFlight(MANY);
  const entry = inFlight.begin();
  entry?.reserveFor("box");
  entry?.reserveTunnel();
  entry?.openTunnel();
  const ends: string[] = [];
  entry?.setHandle({
    abort: (reason) => ends.push(reason),
    recheck: () => Promise.resolve(false),
    publicSandbox: "box",
  });
  await inFlight.recheckPublic("box");
  assert.deepEqual(ends, ["access_revoked"]);
});

Deno.test("InFlight ends those whose client takes nothing any more", () => {
  const inFlight = new InFlight(MANY);
  const ended: string[] = [];
  for (
    const [name, since] of [["waits for the app", undefined], ["slow", 200], [
      "stalled",
      100,
    ]] as const
  ) {
    const entry = inFlight.begin();
    assert(entry !== undefined);
    entry.setHandle({
      abort: (reason) => ended.push(`${name}: ${reason}`),
      stalledSince: () => since,
      recheck,
    });
  }
  inFlight.begin();
  inFlight.abortStalled(100);
  assert.deepEqual(ended, ["stalled: stalled"]);
});

Deno.test("InFlight ends what lasts and has lost its right, and leaves alone what ended meanwhile", async () => {
  const inFlight = new InFlight(MANY);
  const ended: string[] = [];
  for (const name of ["lost", "kept", "over"]) {
    const entry = inFlight.begin();
    assert(entry !== undefined);
    entry.setHandle({
      abort: (reason) => ended.push(`${name}: ${reason}`),
      recheck() {
        if (name === "over") entry.end();
        return Promise.resolve(name === "kept");
      },
    });
  }
  await inFlight.recheckAll();
  assert.deepEqual(ended, ["lost: access_revoked"]);
});

Deno.test("InFlight ends what has lost access, also where its response has taken its upload's place meanwhile", async () => {
  const inFlight = new InFlight(MANY);
  const entry = inFlight.begin() ?? assert.fail();
  const asked = Promise.withResolvers<boolean>();
  const aborted: string[] = [];
  const handleOf = (part: string) => ({
    abort: (reason: string) => aborted.push(`${part} ${reason}`),
    recheck: () => asked.promise,
  });
  entry.setHandle(handleOf("upload"));
  const rechecked = inFlight.recheckAll();
  entry.setHandle(handleOf("response"));
  asked.resolve(false);
  await rechecked;
  assert.deepEqual(aborted, ["response access_revoked"]);
});

Deno.test("InFlight rechecks one and all once at a time, however often it is asked to, and again later", async () => {
  const inFlight = new InFlight({ ...MANY, concurrentExchanges: 100 });
  const answered = Promise.withResolvers<boolean>();
  let rechecks = 0;
  let most = 0;
  let current = 0;
  for (let i = 0; i < 100; i++) {
    inFlight.begin()?.setHandle({
      abort: () => assert.fail("aborted"),
      async recheck() {
        rechecks++;
        most = Math.max(most, ++current);
        await answered.promise;
        current--;
        return true;
      },
    });
  }
  const first = inFlight.recheckAll();
  await inFlight.recheckAll();
  answered.resolve(true);
  await first;
  assert.deepEqual([rechecks, most], [100, 32]);
  await inFlight.recheckAll();
  assert.equal(rechecks, 200);
});

Deno.test("InFlight rechecks at once whom a sandbox's being public has admitted, and nobody else", async () => {
  const inFlight = new InFlight(MANY);
  const rechecked: string[] = [];
  for (
    const [name, sandboxId, publicSandbox] of [
      ["public", "box", "box"],
      ["by a session", "box", undefined],
      ["public elsewhere", "other", "other"],
    ] as const
  ) {
    const entry = inFlight.begin();
    assert(entry !== undefined);
    entry.reserveFor(sandboxId);
    entry.setHandle({
      abort: () => rechecked.push(`${name} ends`),
      recheck() {
        rechecked.push(name);
        return Promise.resolve(false);
      },
      publicSandbox,
    });
  }
  await inFlight.recheckPublic("unknown");
  assert.deepEqual(rechecked, []);
  const first = inFlight.recheckPublic("box");
  await inFlight.recheckPublic("box"); // that one is under way, and looks once more
  await first;
  const twice = ["public", "public ends"];
  assert.deepEqual(rechecked, [...twice, ...twice]);
});

Deno.test("what a public sandbox was asked for before it may have become private is rechecked once it streams", async () => {
  const inFlight = new InFlight(MANY);
  const rechecked: string[] = [];
  function admit(name: string, sandboxId = "box") {
    const entry = inFlight.begin();
    entry?.reserveFor(sandboxId);
    return () =>
      entry?.setHandle({
        abort: (reason) => rechecked.push(`${name} ${reason}`),
        recheck: () => Promise.resolve(false),
        publicSandbox: sandboxId,
      });
  }
  const [early, other] = [admit("early"), admit("other", "other")];
  await inFlight.recheckPublic("box");
  const late = admit("late");
  for (const stream of [early, other, late]) stream();
  await Promise.resolve();
  assert.deepEqual(rechecked, ["early access_revoked"]);
});

Deno.test("InFlight aborts what streams of a sandbox and is meant, and nothing that ended", () => {
  const inFlight = new InFlight(MANY);
  const aborted: string[] = [];
  for (const sandboxId of ["box", "other", "ended", undefined]) {
    const entry = inFlight.begin();
    entry?.setHandle({
      abort: (reason) => aborted.push(`${sandboxId} ${reason}`),
      recheck,
      served: () =>
        sandboxId === undefined
          ? undefined
          : { sandboxId, organizationId: undefined, name: undefined },
    });
    if (sandboxId === "ended") entry?.end();
  }
  inFlight.abortWhere(({ sandboxId }) => sandboxId !== "other");
  assert.deepEqual(aborted, ["box access_revoked"]);
});

Deno.test("InFlight counts a sandbox's own, however many others came and went", () => {
  const inFlight = new InFlight({
    ...MANY,
    concurrentExchanges: 5000,
    exchangesPerSandbox: 1,
  });
  const lasting = inFlight.begin();
  assert.equal(lasting?.reserveFor("lasting"), true);
  for (let other = 0; other < 2500; other++) {
    const entry = inFlight.begin();
    assert.equal(entry?.reserveFor(`other-${other}`), true);
    entry?.end();
  }
  assert.equal(inFlight.begin()?.reserveFor("lasting"), false);
  const again = inFlight.begin();
  assert.equal(again?.reserveFor("other-2499"), true);
  assert.equal(inFlight.begin()?.reserveFor("other-2499"), false);
  lasting?.end();
  assert.equal(inFlight.begin()?.reserveFor("lasting"), true);
});

Deno.test("S10: a tenth of a client's exchanges may be uploads of unknown length", () => {
  const inFlight = new InFlight({ ...MANY, exchangesPerClient: 11 });
  const entries = ["a", "a", "a", "b"].map((client) => {
    const entry = inFlight.begin();
    entry?.reserveForClient(client);
    return entry;
  });
  const reserved = () =>
    entries.map((entry) => entry?.reserveUploadForClient());
  assert.deepEqual(reserved(), [true, true, false, true]);
  for (const entry of entries) entry?.end();
  const again = inFlight.begin();
  again?.reserveForClient("a");
  assert.equal(again?.reserveUploadForClient(), true);
});

Deno.test("S3: InFlight counts what a client has under way, and its WebSockets", () => {
  const inFlight = new InFlight({
    ...MANY,
    exchangesPerClient: 3,
    tunnelsPerClient: 1,
  });
  const entries = ["a", "a", "a", "b"].map((client) => {
    const entry = inFlight.begin();
    assert.equal(entry?.reserveForClient(client), true);
    return entry;
  });
  const surplus = inFlight.begin();
  assert.equal(surplus?.reserveForClient("a"), false);
  surplus?.end();
  assert.equal(inFlight.begin()?.reserveForClient("a"), false);
  const [first, second, , other] = entries;
  assert.equal(first?.reserveTunnel(), undefined);
  assert.equal(second?.reserveTunnel(), "client");
  assert.equal(inFlight.tunnelCount, 1); // who waits for a place has none
  assert.equal(other?.reserveTunnel(), undefined);
  first?.end();
  first?.end();
  assert.equal(second?.reserveTunnel(), undefined);
  assert.equal(inFlight.begin()?.reserveForClient("a"), true);
  assert.equal(inFlight.begin()?.reserveForClient("a"), false);
});

Deno.test("S16: a client may be allowed fewer WebSockets and uploads of unknown length than its limits", () => {
  const inFlight = new InFlight({ ...MANY, exchangesPerClient: 100 });
  const entries = Array.from({ length: 3 }, () => {
    const entry = inFlight.begin();
    entry?.reserveForClient("a");
    return entry;
  });
  const tunnels = entries.map((entry) => entry?.reserveTunnel(2));
  assert.deepEqual(tunnels, [undefined, undefined, "client"]);
  const uploads = entries.map((entry) => entry?.reserveUploadForClient(2));
  assert.deepEqual(uploads, [true, true, false]);
  assert.equal(entries.at(-1)?.reserveTunnel(), undefined);
});

Deno.test("S3: InFlight counts an exchange against the limits until its response has been taken", async () => {
  const inFlight = new InFlight({
    ...MANY,
    concurrentExchanges: 2,
    exchangesPerClient: 1,
  });
  const entry = inFlight.begin();
  entry?.reserveForClient("a");
  const delivered = Promise.withResolvers<void>();
  entry?.end(delivered.promise);
  entry?.end();
  assert.equal(inFlight.count, 0, "a drain does not wait for it");
  await inFlight.idle();
  const second = inFlight.begin();
  assert.equal(second?.reserveForClient("a"), false);
  assert.equal(inFlight.begin(), undefined);
  delivered.resolve();
  await delivered.promise;
  assert.equal(second?.reserveForClient("a"), true);
  assert.notEqual(inFlight.begin(), undefined);
});

Deno.test("InFlight tells how near its limits whoever has most is, and which sandboxes have most WebSockets", () => {
  const inFlight = new InFlight(MANY);
  const entries = [];
  for (
    const [sandbox, client, isTunnel] of [
      ["one", "a", true],
      ["one", "b", true],
      ["two", "b", true],
      ["two", "b", false],
      ["two", "c", false],
    ] as const
  ) {
    const entry = inFlight.begin();
    assert(entry);
    entry.reserveForClient(client);
    entry.reserveFor(sandbox);
    if (isTunnel) {
      entry.reserveTunnel();
    }
    entries.push(entry);
  }
  function used(): number[] {
    return inFlight.limitsInUse().map(({ used }) => used);
  }
  assert.deepEqual(used(), [5, 3, 3, 2, 3, 2, 0]);
  assert.deepEqual(inFlight.sandboxesByTunnels(1), [
    { sandboxId: "one", tunnels: 2 },
  ]);
  for (const entry of entries) entry.end();
  assert.deepEqual(used(), Array(7).fill(0));
  assert.deepEqual(inFlight.sandboxesByTunnels(10), []);
});

Deno.test("nothing more begins while file descriptors are short", () => {
  using clock = fakeClock();
  let left = 100;
  using _ = keepDescriptors(() => {
    if (left === 0) throw new Error("Too many open files");
    return { close() {} };
  }, () => {});
  const inFlight = new InFlight(MANY);
  assert(inFlight.begin() !== undefined);
  left = 0;
  ranOutOfDescriptors("Too many open files");
  assert.equal(inFlight.begin(), undefined);
  left = 100;
  clock.pass(1000);
  assert(inFlight.begin() !== undefined);
});

/** Puts an entry in flight whose WebSocket was opened by a name; `moved` hears that it leads elsewhere. */
function addNamed(
  inFlight: InFlight,
  name: string | undefined,
  moved: string[],
) {
  const entry = inFlight.begin();
  const open = () =>
    entry?.setHandle({
      abort: () => assert.fail("aborted"),
      recheck,
      name,
      move: () => moved.push(name ?? "nameless"),
    });
  return { entry, open };
}

Deno.test("InFlight has the WebSockets of a name that leads elsewhere begin anew, and no others", () => {
  const inFlight = new InFlight(MANY);
  const moved: string[] = [];
  for (
    const name of [
      "shop.p.test",
      "shop.p.test:8443",
      "store.p.test",
      "x.shop.p.test",
      undefined,
    ]
  ) addNamed(inFlight, name, moved).open();
  const download = inFlight.begin();
  const abort = () => assert.fail("aborted");
  download?.setHandle({ abort, recheck, name: "shop.p.test" });
  inFlight.moveNames(new Set(["shop.p.test", "new.p.test"]));
  assert.deepEqual(moved, ["shop.p.test", "shop.p.test:8443"]);
  assert.equal(inFlight.count, 6);
});

Deno.test("InFlight has a WebSocket begin anew that opens after its name has moved, and none that began after that", () => {
  const inFlight = new InFlight(MANY);
  const moved: string[] = [];
  const early = addNamed(inFlight, "shop.p.test:8443", moved);
  const other = addNamed(inFlight, "store.p.test", moved);
  const over = addNamed(inFlight, "shop.p.test", moved);
  inFlight.moveNames(new Set(["shop.p.test"]));
  inFlight.moveNames(new Set(["third.p.test"]));
  over.entry?.end();
  for (const { open } of [early, other, over]) open();
  assert.deepEqual(moved, ["shop.p.test:8443"]);
  addNamed(inFlight, "shop.p.test", moved).open();
  assert.equal(moved.length, 1);
});
