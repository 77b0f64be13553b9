import assert from "node:assert/strict";
import type { Block } from "../../../../src/features/abuse/block_list.ts";
import { Blockade } from "../../../../src/features/abuse/blockade.ts";
import type { StreamHandle } from "../../../../src/proxy/in_flight.ts";

/** The organizations of sandboxes; undefined while the API does not tell. */
type Organizations = Map<string, string | null | undefined>;

/** A blockade of what is in `blocks`, and what streams, which `cut` has if it was ended. */
function setUp(blocks: Set<Block>, organizations: Organizations = new Map()) {
  const asked: string[] = [];
  const streaming: Pick<StreamHandle, "sandboxId" | "name">[] = [];
  const cut: unknown[] = [];
  const blockade = new Blockade({
    list: {
      all: blocks,
      get hasOrganizations() {
        return [...blocks].some((each) => each.startsWith("organizations/"));
      },
    },
    inFlight: {
      abortWhere(isMeant) {
        for (const one of [...streaming]) {
          const handle = {
            abort() {},
            recheck: () => Promise.resolve(true),
            ...one,
          };
          if (!isMeant(handle)) continue;
          streaming.splice(streaming.indexOf(one), 1);
          cut.push(one.sandboxId);
        }
      },
    },
    members: {
      organizationOf(sandboxId) {
        asked.push(sandboxId);
        return Promise.resolve(organizations.get(sandboxId));
      },
    },
    maxSandboxes: 10,
  });
  /** Whether a preview is blocked. */
  async function isBlocked(sandboxId: string, name?: string) {
    try {
      await blockade.forbid({ sandboxId, name });
      return false;
    } catch (error) {
      assert.equal(Object(error).code, "preview_blocked");
      return true;
    }
  }
  return { blockade, asked, streaming, cut, isBlocked };
}

Deno.test("a sandbox is blocked by its id, by any name, and a name by its host, whatever its port", async () => {
  const { isBlocked, asked } = setUp(
    new Set<Block>(["sandboxes/box", "names/shop.test"]),
  );
  for (
    const [sandboxId, name, expected] of [
      ["box", undefined, true],
      ["box", "other.test", true],
      ["other", undefined, false],
      ["other", "other.test", false],
      ["other", "Shop.test:8443", true],
      ["other", "sub.shop.test", false],
    ] as const
  ) {
    assert.equal(await isBlocked(sandboxId, name), expected, `${name}`);
  }
  assert.deepEqual(asked, []);
});

Deno.test("an organization's sandboxes are blocked, and the API is asked once for each", async () => {
  const blocks = new Set<Block>(["organizations/acme"]);
  const { isBlocked, asked } = setUp(
    blocks,
    new Map([["box", "acme"], ["other", "else"], ["stray", null]]),
  );
  for (let time = 0; time < 2; time++) {
    assert.equal(await isBlocked("box"), true);
    assert.equal(await isBlocked("other"), false);
    assert.equal(await isBlocked("stray"), false);
  }
  assert.deepEqual(asked, ["box", "other", "stray"]);
  blocks.clear();
  assert.equal(await isBlocked("box"), false);
  assert.equal(await isBlocked("new"), false);
  assert.equal(asked.length, 3);
});

Deno.test("while the API does not tell the organization, the sandbox is served, and it is asked again", async () => {
  const organizations: Organizations = new Map();
  const { isBlocked } = setUp(
    new Set<Block>(["organizations/acme"]),
    organizations,
  );
  assert.equal(await isBlocked("box"), false);
  organizations.set("box", "acme");
  assert.equal(await isBlocked("box"), true);
});

Deno.test("what streams from what is blocked is ended, and nothing else", async () => {
  const blocks = new Set<Block>();
  const { blockade, streaming, cut, asked } = setUp(
    blocks,
    new Map([["ours", "acme"], ["other", "else"]]),
  );
  streaming.push(
    { sandboxId: "box" },
    { sandboxId: "named", name: "shop.test:8443" },
    { sandboxId: "ours" },
    { sandboxId: "other" },
    {},
  );
  await blockade.enforce();
  assert.deepEqual([cut, asked], [[], []]);
  blocks.add("sandboxes/box").add("names/shop.test");
  await blockade.enforce();
  assert.deepEqual([cut, asked], [["box", "named"], []]);
  blocks.add("organizations/acme");
  await blockade.enforce();
  assert.deepEqual([cut, asked], [["box", "named", "ours"], ["ours", "other"]]);
  assert.equal(streaming.length, 2);
});
