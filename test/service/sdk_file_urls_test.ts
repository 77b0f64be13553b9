/** Signed URLs of files by Daytona's official SDK, under both of its names, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { startGateway } from "../support/gateway.ts";

/** What is used of the SDK. */
interface Sdk {
  readonly Daytona: new (options: {
    apiKey: string;
    apiUrl: string;
    target: string;
    useDeprecatedPolling: boolean;
  }) => AsyncDisposable & { get(id: string): Promise<SdkSandbox> };
}

interface SdkSandbox {
  downloadUrl(path: string, ttlSeconds?: number): Promise<string>;
  uploadUrl(path: string, ttlSeconds?: number): Promise<string>;
  rotateSigningKey(): Promise<void>;
}

/** Loaded by the tests only: it takes a second. */
const SDKS: Readonly<Record<string, () => Promise<Sdk>>> = {
  "@daytona/sdk": () => import("@daytona/sdk"),
  "@daytonaio/sdk": () => import("@daytonaio/sdk"),
};

const CONTENT = new Uint8Array(70_000).map((_, i) => i * 31);

/** The status of a request without any credential but its URL's, and the gateway's own code. */
async function verdictOn(
  url: string,
): Promise<readonly [number, string | null]> {
  const response = await fetch(url);
  await response.body?.cancel();
  return [response.status, response.headers.get("x-porthole-error")];
}

for (const [name, load] of Object.entries(SDKS)) {
  Deno.test(`${name} makes URLs that upload and download a file without a key`, async () => {
    await using gateway = await startGateway();
    const { state, url: apiUrl } = gateway.stack.api;
    const proxyToolboxUrl = `http://127.0.0.1:${gateway.port}/toolbox`;
    state.config = { ...state.config, proxyToolboxUrl };
    const { Daytona } = await load();
    await using daytona = new Daytona({
      apiKey: KEYS.user,
      apiUrl,
      target: "local",
      // Otherwise the SDK opens a WebSocket for events, directly to the API.
      useDeprecatedPolling: true,
    });
    const sandbox = await daytona.get("locked");
    const path = "a b+c/grüße & 50%.txt";

    const form = new FormData();
    form.append("file", new Blob([CONTENT]));
    const request = { method: "POST", body: form };
    const upload = await fetch(await sandbox.uploadUrl(path, 60), request);
    assert.equal(upload.status, 200);
    await upload.body?.cancel();
    const url = await sandbox.downloadUrl(path);
    for (const signed of [url, await sandbox.downloadUrl(path, 0)]) {
      const download = await fetch(signed);
      assert.equal(download.status, 200);
      assert.deepEqual(await download.bytes(), CONTENT);
    }
    assert.deepEqual(
      await verdictOn(url.replace("50%25", "51%25")),
      [401, "signed_url_invalid"],
    );

    // The gateway does not remember this sandbox's key yet.
    const other = await daytona.get("demo");
    const old = await other.downloadUrl(path);
    await other.rotateSigningKey();
    assert.deepEqual(await verdictOn(old), [401, "signed_url_invalid"]);
    assert.deepEqual(
      await verdictOn(await other.downloadUrl(path)),
      [404, null],
    );
    assert.doesNotMatch(JSON.stringify(gateway.stack.runner.seen), /v1_/);
  });
}
