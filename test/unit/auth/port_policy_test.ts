import assert from "node:assert/strict";
import { type PortAccess, PortPolicy } from "../../../src/auth/port_policy.ts";
import { portRules } from "../../../src/config/port_rules.ts";
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
  }, {
    knownLabels: () => known ? labels : undefined,
    labelsOf(label) {
      asked.push(label);
      return Promise.resolve(labels);
    },
  });
  return { policy, asked };
}

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

const TABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "public, labels close": {
    public: "public public share members members off members",
    share: "share share share members members off members",
    login: "members members members members members off members",
    members: "members members members members members off members",
    off: "off off off off off off off",
  },
  "private, labels close": {
    public: "share share share members members off members",
    share: "share share share members members off members",
    login: "members members members members members off members",
    members: "members members members members members off members",
    off: "off off off off off off off",
  },
  "public, labels open": {
    public: "public public share members members off members",
    share: "share share share members members off members",
    login: "members members members members members off members",
    members: "members members members members members off members",
    off: "off off off off off off off",
  },
  "private, labels open": {
    public: "share public share members members off members",
    share: "share share share members members off members",
    login: "members members members members members off members",
    members: "members members members members members off members",
    off: "off off off off off off off",
  },
};

for (const [situation, rows] of Object.entries(TABLE)) {
  Deno.test(`the tightest of flag, label and ceiling counts: ${situation}`, () => {
    const labelsOpen = situation.endsWith("labels open");
    for (const [ceiling, row] of Object.entries(rows)) {
      const { policy } = policyOf(ceiling, { labelsOpen });
      const cells = COLUMNS.map((word) =>
        policy.access(
          3000,
          situation.startsWith("public"),
          word === undefined
            ? NO_LABELS
            : ownerLabels({ "porthole.port.3000": word }),
        )
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
  const ports: [number, PortAccess][] = [
    [3000, "share"],
    [4000, "off"],
    [5000, "members"],
    [6000, "off"],
  ];
  for (const [port, access] of ports) {
    assert.equal(policy.access(port, true, labels), access, `${port}`);
  }
});

Deno.test("where no sandbox is public, no label opens one", () => {
  const { policy } = policyOf("public", { labelsOpen: true, nonePublic: true });
  const labels = ownerLabels({ "porthole.port.3000": "public" });
  assert.equal(policy.access(3000, true, labels), "share");
  assert.equal(policy.access(3000, true, NO_LABELS), "share");
});

Deno.test("labels that are known cost no question, and of a private sandbox none is needed", async () => {
  const { policy, asked } = policyOf("public");
  assert.equal(policy.isKnownOpen("box", 3000, true), true);
  assert.equal(policy.isKnownOpen("box", 3000, false), false);
  assert.equal(await policy.accessTo("box", 3000, true, () => {}), "public");
  assert.deepEqual(asked, []);
  const other = policyOf("public", { known: false });
  assert.equal(other.policy.isKnownOpen("box", 3000, true), undefined);
  assert.equal(other.policy.isKnownOpen("box", 3000, false), false);
  await other.policy.accessTo("box", 3000, true, () => {});
  assert.deepEqual(other.asked, ["box"]);
});

Deno.test("the operator's words are one for all ports, or one for each", () => {
  const parse = (text: string) => portRules.schema.parse(text);
  assert.deepEqual(parse("members"), [{ port: "*", word: "members" }]);
  assert.deepEqual(parse("3000=public, *=off"), [
    { port: 3000, word: "public" },
    { port: "*", word: "off" },
  ]);
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
    Array.from({ length: 100 }, (_, i) => [`porthole.x${i}`, "y"]),
  );
  const labels = ownerLabels({ ...many, "porthole.port.3000": "off" });
  assert.equal(labels["porthole.port.3000"], "off");
  assert.equal(Object.keys(labels).length, 33);
  const { policy } = policyOf("public");
  const long = ownerLabels({ "porthole.port.3000": "x".repeat(9999) });
  assert.equal(policy.access(3000, true, long), "members");
  const flood = ownerLabels(Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`porthole.port.${i}`, "public"]),
  ));
  assert.deepEqual(flood, { "porthole.port.*": "members" });
});
