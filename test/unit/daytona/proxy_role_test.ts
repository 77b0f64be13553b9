import assert from "node:assert/strict";
import {
  type ProxyRole,
  proxyRoleOf,
  RoleWatch,
} from "../../../src/daytona/proxy_role.ts";

Deno.test("proxyRoleOf() tells the proxy of the installation from a region's, and nothing from any other status", () => {
  for (
    const [status, role] of [
      [201, "installation"],
      [404, "region"],
      [403, undefined],
      [401, undefined],
      [429, undefined],
      [503, undefined],
    ] as const
  ) assert.equal(proxyRoleOf(status), role, String(status));
});

Deno.test("RoleWatch asks until the API has told the role, once for all who wait, and names the region when it is known", async () => {
  const answers: (ProxyRole | undefined | Error)[] = [
    new Error("down"),
    undefined,
    "region",
  ];
  const told: (string | undefined)[] = [];
  let asked = 0;
  const watch = new RoleWatch(() => {
    const answer = answers[asked++];
    return answer instanceof Error
      ? Promise.reject(answer)
      : Promise.resolve(answer);
  }, (region) => told.push(region));
  assert.equal(await watch.role(), undefined);
  assert.equal(await watch.role(), undefined);
  const both = await Promise.all([watch.role(), watch.role()]);
  assert.deepEqual([both, asked, told], [["region", "region"], 3, [undefined]]);
  watch.sawRunnerIn("eu");
  watch.sawRunnerIn("eu");
  assert.equal(await watch.role(), "region");
  assert.deepEqual([asked, told], [3, [undefined, "eu"]]);
});

Deno.test("RoleWatch says nothing of regions to the proxy of the installation", async () => {
  const watch = new RoleWatch(
    () => Promise.resolve("installation" as const),
    () => assert.fail(),
  );
  watch.sawRunnerIn("eu");
  assert.equal(await watch.role(), "installation");
});
