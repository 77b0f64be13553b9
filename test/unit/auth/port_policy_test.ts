import assert from "node:assert/strict";
import { PortPolicy } from "../../../src/auth/port_policy.ts";
import {
  EVERYBODY,
  LOGINS,
  MEMBERS,
  NAMED,
  type PortAccess,
  portRules,
  SHARED,
} from "../../../src/config/port_rules.ts";
import { GatewayError } from "../../../src/errors.ts";
import { UNMETERED } from "../../../src/resolver/lookup_cache.ts";
import { NO_LABELS, ownerLabels } from "../../../src/resolver/owner_labels.ts";

function policyOf(
  text: string,
  { labelsOpen = false, nonePublic = false, known = true } = {},
) {
  const asked: string[] = [];
  const labels = ownerLabels({ "porthole.port.3000": "public" });
  const policy = new PortPolicy({
    ceiling: portRules.schema.parse(text),
    labelsOpen,
    nonePublic,
    allowsByLabel: true,
  }, {
    isPublic: () => Promise.resolve(true),
    labelsOf(label) {
      if (known) return labels;
      asked.push(label);
      return Promise.resolve(labels);
    },
  });
  return { policy, asked };
}

/** What whom a port admits is called here; share and login have in common whom the label porthole.allow names. */
const NAMES: Readonly<Record<PortAccess, string>> = {
  [EVERYBODY]: "public",
  [SHARED | NAMED | MEMBERS]: "share",
  [LOGINS | NAMED | MEMBERS]: "login",
  [NAMED | MEMBERS]: "named",
  [MEMBERS]: "members",
  0: "off",
};

/**
 * Whom a port admits, written by hand: by Daytona's flag, by label (columns: none, public, share, login, members, off, a word
 * that is none), and by the operator's ceiling (rows).
 */
const COLUMNS = [
  undefined,
  "public",
  "share",
  "login",
  "members",
  "off",
  "Public",
] as const;

const SHUT = {
  members: "members members members members members off members",
  off: "off off off off off off off",
};

const TABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "public, labels close": {
    public: "public public share login members off members",
    share: "share share share named members off members",
    login: "login login named login members off members",
    ...SHUT,
  },
  "private, labels close": {
    public: "share share share named members off members",
    share: "share share share named members off members",
    login: "named named named named members off members",
    ...SHUT,
  },
  "public, labels open": {
    public: "public public share login members off members",
    share: "share share share named members off members",
    login: "login login named login members off members",
    ...SHUT,
  },
  "private, labels open": {
    public: "share public share login members off members",
    share: "share share share named members off members",
    login: "named login named login members off members",
    ...SHUT,
  },
};

for (const [situation, rows] of Object.entries(TABLE)) {
  Deno.test(`whom flag, label and ceiling all admit gets in: ${situation}`, () => {
    const labelsOpen = situation.endsWith("labels open");
    for (const [ceiling, row] of Object.entries(rows)) {
      const { policy } = policyOf(ceiling, { labelsOpen });
      const cells = COLUMNS.map((word) =>
        NAMES[
          policy.access(
            3000,
            situation.startsWith("public"),
            word === undefined
              ? NO_LABELS
              : ownerLabels({ "porthole.port.3000": word }),
          )
        ]
      );
      assert.equal(cells.join(" "), row, ceiling);
    }
  });
}

Deno.test("the label of a port wins over that of all, and so does the operator's word", () => {
  const { policy } = policyOf("3000=public,*=members,4000=off");
  const labels = ownerLabels({
    "porthole.port.*": "off",
    "porthole.port.3000": "share",
    "porthole.port.4000": "public",
    "porthole.port.5000": "public",
  });
  const ports: [number, string][] = [
    [3000, "share"],
    [4000, "off"],
    [5000, "members"],
    [6000, "off"],
  ];
  for (const [port, access] of ports) {
    assert.equal(NAMES[policy.access(port, true, labels)], access, `${port}`);
  }
});

Deno.test("where no sandbox is public, no label opens one", () => {
  const { policy } = policyOf("public", { labelsOpen: true, nonePublic: true });
  const labels = ownerLabels({ "porthole.port.3000": "public" });
  assert.equal(NAMES[policy.access(3000, true, labels)], "share");
  assert.equal(NAMES[policy.access(3000, true, NO_LABELS)], "share");
});

Deno.test("whom a port admits is said at once where its labels are known", async () => {
  const { policy, asked } = policyOf("public");
  const access = policy.accessTo("box", 3000, true, () => {});
  assert.equal(access, EVERYBODY);
  assert.deepEqual(asked, []);
  const other = policyOf("public", { known: false });
  const waiting = other.policy.accessTo("box", 3000, true, () => {});
  assert(waiting instanceof Promise);
  assert.equal(await waiting, EVERYBODY);
  assert.deepEqual(other.asked, ["box"]);
});

Deno.test("the operator's words are one for all ports, or one for each", () => {
  const parse = (text: string) => portRules.schema.parse(text);
  assert.deepEqual(parse("members"), new Map([["*", MEMBERS]]));
  assert.deepEqual(
    parse("3000=public, *=off"),
    new Map<unknown, PortAccess>([[3000, EVERYBODY], ["*", 0]]),
  );
  for (
    const text of [
      "",
      "private",
      "Public",
      "3000=",
      "03000=off",
      "70000=off",
      "3000=off,3000=off",
      "*=off,members",
      "3000=off,",
      "-1=off",
    ]
  ) assert.equal(portRules.schema.safeParse(text).success, false, text);
});

Deno.test("however many labels a sandbox has, and however long ones, none that closes a port is lost", () => {
  const many = Object.fromEntries(
    Array.from(
      { length: 100 },
      (_, i) => [`porthole.app-origin.${i + 1}`, "pass"],
    ),
  );
  const labels = ownerLabels({ ...many, "porthole.port.3000": "off" });
  assert.equal(labels["porthole.port.3000"], "off");
  assert.equal(Object.keys(labels).length, 33);
  const { policy } = policyOf("public");
  const long = ownerLabels({ "porthole.port.3000": "x".repeat(9999) });
  assert.equal(NAMES[policy.access(3000, true, long)], "members");
  const flood = ownerLabels(Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`porthole.port.${i}`, "public"]),
  ));
  assert.deepEqual(flood, { "porthole.port.*": "members" });
});

Deno.test("a port takes any login, those that its label names, or none", async () => {
  const rule = { emails: ["ann@example.com"], domains: [], groups: ["qa"] };
  const allow = "Ann@Example.com, group:qa, nobody";
  const cases: [string, boolean, Record<string, string>, unknown][] = [
    ["public", true, {}, undefined],
    ["public", true, { "porthole.port.3000": "login" }, "any"],
    ["public", false, { "porthole.port.3000": "login" }, undefined],
    ["login", true, {}, "any"],
    ["public", false, { "porthole.allow": allow }, rule],
    ["share", true, { "porthole.allow": allow }, rule],
    ["members", true, { "porthole.allow": allow }, undefined],
    ["login", false, { "porthole.allow": allow }, rule],
    ["public", false, { "porthole.allow": "nobody,@" }, undefined],
  ];
  for (const [ceiling, isPublic, labels, expected] of cases) {
    const policy = new PortPolicy({
      ceiling: portRules.schema.parse(ceiling),
      labelsOpen: false,
      nonePublic: false,
      allowsByLabel: true,
    }, {
      isPublic: () => Promise.resolve(isPublic),
      labelsOf: () => Promise.resolve(ownerLabels(labels)),
    });
    const told = await policy.loginsTo("box", 3000, UNMETERED);
    assert.deepEqual(told, expected, JSON.stringify([ceiling, labels]));
    assert.equal(await policy.loginsTo("box", 22222, UNMETERED), undefined);
  }
});

Deno.test("a port is off if nobody may open it, and none of Daytona's own services is", async () => {
  const { policy } = policyOf("8000=off,22222=off");
  const off: number[] = [];
  for (const port of [3000, 8000, 22_222]) {
    if (await policy.isOff("box", port)) off.push(port);
  }
  assert.deepEqual(off, [8000]);
});

Deno.test("whom a port takes is asked at the visitor's expense, and not at all once they are over it", async () => {
  const asked: string[] = [];
  let left = 2;
  const budget = {
    spend() {
      if (left-- === 0) throw new GatewayError("too_many_lookups", "None left");
    },
  };
  const policy = new PortPolicy({
    ceiling: portRules.schema.parse("public"),
    labelsOpen: false,
    nonePublic: false,
    allowsByLabel: true,
  }, {
    isPublic(label, { spend }) {
      spend();
      asked.push(`public ${label}`);
      return Promise.resolve(false);
    },
    labelsOf(label, onMiss) {
      onMiss();
      asked.push(`labels ${label}`);
      return Promise.resolve(NO_LABELS);
    },
  });
  assert.equal(await policy.loginsTo("made-up", 3000, budget), undefined);
  const over = policy.loginsTo("another", 3000, budget);
  await assert.rejects(over, { code: "too_many_lookups" });
  assert.deepEqual(asked, ["public made-up", "labels made-up"]);
});

Deno.test("labels are parsed once, however often they are asked for", () => {
  let parsed = 0;
  const labels = new Proxy({ "porthole.port.3000": "members" }, {
    ownKeys(target) {
      parsed++;
      return Reflect.ownKeys(target);
    },
  });
  const { policy } = policyOf("public");
  for (let nth = 0; nth < 3; nth++) {
    assert.equal(NAMES[policy.access(3000, true, labels)], "members");
  }
  assert.equal(parsed, 1);
});

Deno.test("labels that cannot be read again are those of before, and a bug is none of that", async () => {
  for (
    const [error, isThrown] of [
      [new GatewayError("api_unreachable", "status 503"), false],
      [new TypeError("a bug"), true],
    ] as const
  ) {
    const policy = new PortPolicy({
      ceiling: new Map(),
      labelsOpen: false,
      nonePublic: false,
      allowsByLabel: false,
    }, {
      isPublic: () => Promise.resolve(true),
      labelsOf: () => Promise.resolve(NO_LABELS),
      refreshLabels: () => Promise.reject(error),
    });
    const failure = await policy.refresh("box").catch((cause) => cause);
    assert.equal(failure, isThrown ? error : undefined);
  }
});
