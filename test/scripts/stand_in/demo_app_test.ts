import {
  deepStrictEqual as deepEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { startDemoApp } from "../../../scripts/stand_in/demo_app.ts";

Deno.test("demo app's page is one file without outside resources", async () => {
  await using app = await startDemoApp();

  const response = await fetch(app.url);

  equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  const html = await response.text();
  ok(html.includes("prefers-color-scheme"));
  ok(!/(?:src|href)="(?:https?:)?\/\//.test(html));
});

Deno.test("demo app's /echo tells method, target, headers and body", async () => {
  await using app = await startDemoApp();

  const response = await fetch(`${app.url}/echo?a=1`, {
    method: "PUT",
    body: "caf\u00e9",
    headers: { "x-one": "1" },
  });

  const echoed = await response.json();
  equal(echoed.method, "PUT");
  equal(echoed.url, "/echo?a=1");
  equal(echoed.body, "caf\u00e9");
  equal(echoed.bodyLength, 5);
  equal(new Headers(echoed.headers).get("x-one"), "1");
});

Deno.test("demo app's /bytes sends as many as are asked for, and /upload counts them", async () => {
  await using app = await startDemoApp();
  const size = 3 * 65_536 + 7;

  const download = await fetch(`${app.url}/bytes?size=${size}`);
  equal(download.headers.get("content-length"), String(size));
  const bytes = await download.bytes();
  equal(bytes.length, size);

  const upload = await fetch(`${app.url}/upload`, {
    method: "POST",
    body: bytes,
  });
  deepEqual(await upload.json(), { bytes: size });
});

Deno.test("demo app's /bytes announces sizes beyond memory and stops with its reader", async () => {
  await using app = await startDemoApp();

  const response = await fetch(`${app.url}/bytes?size=1099511627776`);

  equal(response.headers.get("content-length"), "1099511627776");
  await response.body?.cancel();
});

Deno.test("demo app's /sse sends the events asked for, and endless ones until the reader goes", async () => {
  await using app = await startDemoApp();

  const three = await fetch(`${app.url}/sse?count=3&interval=1`);
  equal(three.headers.get("content-type"), "text/event-stream");
  deepEqual((await three.text()).match(/^id: \d$/gm), [
    "id: 1",
    "id: 2",
    "id: 3",
  ]);

  const endless = await fetch(`${app.url}/sse?interval=100000`);
  const reader = endless.body?.getReader();
  ok((await reader?.read())?.value);
  await reader?.cancel();
});

Deno.test("demo app answers with the status, cookies, coding and delay asked for", async () => {
  await using app = await startDemoApp();

  for (
    const [path, status] of [["/status/204", 204], ["/status/418", 418], [
      "/status/99",
      404,
    ], ["/none", 404]] as const
  ) {
    const response = await fetch(app.url + path);
    equal(response.status, status, path);
    await response.body?.cancel();
  }
  const cookies = await fetch(`${app.url}/cookies`);
  equal(cookies.headers.getSetCookie().length, 10);
  await cookies.body?.cancel();
  const gzip = await fetch(`${app.url}/gzip`);
  equal(gzip.headers.get("content-encoding"), "gzip");
  ok((await gzip.text()).startsWith("Compressed by the app.\n"));
  equal(await (await fetch(`${app.url}/slow?ms=1`)).text(), "At last.\n");
});
