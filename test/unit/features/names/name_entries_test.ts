import assert from "node:assert/strict";
import type {
  KeptName,
  NameEntry,
} from "../../../../src/features/names/kept_name.ts";
import {
  checkNotTaken,
  ownIn,
  wishedName,
  withName,
  withoutName,
} from "../../../../src/features/names/name_entries.ts";
import { nameOf } from "./name_of.ts";

const SHOP = "shop.preview.example.com";
const OWN = "www.shop.test";
const NOBODY: NameEntry = { claims: [] };
const PROOF = { nonce: "nonce", target: "0target.preview.example.com" };

function domainOf(differences: Partial<KeptName> = {}): KeptName {
  return nameOf(OWN, { kind: "domain", proof: PROOF, ...differences });
}

function wishOf(name: KeptName) {
  const { host, kind, sandboxId, port, organizationId, createdBy } = name;
  const wish = { host, kind, sandboxId, port, organizationId, createdBy };
  return { ...wish, namesDomain: "preview.example.com" };
}

Deno.test("names are an organization's, and a sandbox's where nobody says whose that is", () => {
  const unknown = { organizationId: null };
  for (
    const [holder, owner, isOwn] of [
      [{}, { sandboxId: "other" }, true],
      [{}, { organizationId: "evil" }, true],
      [{}, { sandboxId: "other", organizationId: "evil" }, false],
      [{}, { sandboxId: "other", ...unknown }, false],
      [unknown, { sandboxId: "other", ...unknown }, false],
      [unknown, { sandboxId: "other" }, false],
      [unknown, {}, true],
    ] as const
  ) {
    const entry = withName(NOBODY, nameOf(SHOP, holder));
    const by = nameOf(SHOP, owner);
    const what = JSON.stringify([holder, owner]);
    assert.equal(ownIn(entry, by) !== undefined, isOwn, what);
    const check = () => checkNotTaken(entry, by);
    if (isOwn) check();
    else assert.throws(check, { code: "name_taken" }, what);
  }
});

Deno.test("a name is its organization's as soon as somebody says so", () => {
  const entry = withName(NOBODY, nameOf(SHOP, { organizationId: null }));
  const known = wishedName(entry, wishOf(nameOf(SHOP)), 0);
  assert.equal(known.organizationId, "acme");
  const later = withName(entry, known);
  const untold = wishOf(nameOf(SHOP, { organizationId: null, port: 8000 }));
  const { organizationId, port } = wishedName(later, untold, 0);
  assert.deepEqual([organizationId, port], ["acme", 8000]);
});

Deno.test("each organization has one claim, and the holder stays beside them", () => {
  const holder = domainOf({ organizationId: "evil", sandboxId: "theirs" });
  const pending = domainOf({ state: "pending", endsAt: 1 });
  const two = [pending, { ...pending, sandboxId: "other", port: 8000 }];
  const entry = two.reduce(withName, withName(NOBODY, holder));
  assert.deepEqual(entry, { holder, claims: [two[1]] });
  const ended = withoutName(entry, pending, 0);
  assert.deepEqual(ended, { holder, claims: [] });
});

Deno.test("a host has 8 claims at most, of which the oldest gives way", () => {
  let entry = NOBODY;
  for (let at = 0; at < 20; at++) {
    const owner = { sandboxId: `box${at}`, organizationId: `org${at}` };
    entry = withName(entry, domainOf({ ...owner, state: "pending" }));
  }
  const owners = entry.claims.map(({ organizationId }) => organizationId);
  assert.deepEqual([owners.length, owners[0], owners.at(-1)], [
    8,
    "org12",
    "org19",
  ]);
});

Deno.test("who is verified holds the domain, and the claims of others stay", () => {
  const own = domainOf({ state: "pending", endsAt: 1 });
  const other = { ...own, organizationId: "evil", sandboxId: "theirs" };
  const entry = [own, other].reduce(withName, NOBODY);
  const active = domainOf();
  assert.deepEqual(withName(entry, active), {
    holder: active,
    claims: [other],
  });
});

Deno.test("what is given up is nobody else's for 30 days, and its own has it back as it was", () => {
  const entry = withoutName(withName(NOBODY, domainOf()), domainOf(), 1000);
  assert.equal(entry.holder?.state, "released");
  assert.equal(entry.holder?.endsAt, 1000 + 30 * 86_400_000);
  assert.equal(ownIn(entry, domainOf()), undefined);
  const name = wishedName(entry, wishOf(domainOf({ port: 8000 })), 2000);
  assert.deepEqual(
    name,
    domainOf({
      port: 8000,
      state: "pending",
      createdAt: 2000,
      endsAt: 2000 + 7 * 86_400_000,
    }),
  );
  const claimed = withName(entry, name);
  assert.equal(claimed.holder?.state, "released");
  const active = { ...name, state: "active", endsAt: null } as const;
  const back = withName(claimed, active);
  assert.deepEqual(back, { holder: active, claims: [] });
});
