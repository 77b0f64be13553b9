import assert from "node:assert/strict";
import {
  inertResponseHeaders,
  toolboxReference,
  toolboxResponseHeaders,
} from "../../../src/proxy/toolbox_response.ts";

const ADDRESS = { sandboxId: "box", authority: "preview.test:4000" };

Deno.test("toolboxReference() leads what is the daemon's to the toolbox, and leaves everything else", () => {
  for (
    const [reference, expected] of [
      ["/files", "/toolbox/box/files"],
      ["/", "/toolbox/box/"],
      ["/?a=/b", "/toolbox/box/?a=/b"],
      ["/%2e//x", "/toolbox/box/%2e//x"],
      // The daemon's own URL, as it sees itself and as the runner sees it.
      ["http://172.17.0.2:2280/files?x", "/toolbox/box/files?x"],
      ["http://172.17.0.2:2280", "/toolbox/box"],
      ["http://172.17.0.2:2280?x", "/toolbox/box/?x"],
      ["http://localhost:2280/", "/toolbox/box/"],
      ["/sandboxes/box/toolbox/files/", "/toolbox/box/files/"],
      ["https://runner.test/sandboxes/box/toolbox/x", "/toolbox/box/x"],
      // A daemon that knows the public address.
      ["https://Preview.test:4000/files", "/toolbox/box/files"],
      ["/toolbox/box/files", "/toolbox/box/files"],
      ["/toolbox/boxes/files", "/toolbox/box/toolbox/boxes/files"],
      ["/sandboxes/boxes/toolbox/x", "/toolbox/box/sandboxes/boxes/toolbox/x"],
      // URLs of other hosts.
      ["https://github.com/x", "https://github.com/x"],
      ["http://172.17.0.2:3000/x", "http://172.17.0.2:3000/x"],
      ["//elsewhere.test/x", "//elsewhere.test/x"],
      ["/\\elsewhere.test/x", "/\\elsewhere.test/x"],
      // Relative to the requested URL, and so already right.
      ["files/x", "files/x"],
      ["../x", "../x"],
      ["?x", "?x"],
      ["", ""],
      ["data:text/plain,x", "data:text/plain,x"],
    ]
  ) assert.equal(toolboxReference(reference ?? "", ADDRESS), expected);
});

Deno.test("toolboxResponseHeaders() adds no Location where there is none", () => {
  const names = toolboxResponseHeaders([["ETag", '"1"']], ADDRESS)
    .map(([name]) => name);
  assert.deepEqual(names, [
    "ETag",
    "content-security-policy",
    "x-content-type-options",
  ]);
});

Deno.test("toolboxReference() knows the gateway's own address in any spelling", () => {
  const address = { sandboxId: "box", authority: "Preview.Test:4000" };
  assert.equal(
    toolboxReference("https://preview.test:4000/files", address),
    "/toolbox/box/files",
  );
});

Deno.test("toolboxResponseHeaders() rewrites references, and nothing that only looks like one", () => {
  assert.deepEqual(
    toolboxResponseHeaders([
      ["Location", "/files"],
      ["Content-Location", "/files/x"],
      ["X-Path", "/files"],
    ], ADDRESS).slice(0, 3),
    [
      ["Location", "/toolbox/box/files"],
      ["Content-Location", "/toolbox/box/files/x"],
      ["X-Path", "/files"],
    ],
  );
});

Deno.test("inertResponseHeaders() passes everything that concerns the response alone", () => {
  const fields: [string, string][] = [
    "Accept-Ranges",
    "Access-Control-Allow-Origin",
    "Age",
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Length",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Server-Timing",
    "Vary",
  ].map((name) => [name, "1"]);
  assert.deepEqual(inertResponseHeaders(fields).slice(0, -2), fields);
});

Deno.test("inertResponseHeaders() lets a sandbox do nothing to the origin of logins", () => {
  assert.deepEqual(
    inertResponseHeaders([
      ["Set-Cookie", "a=1; Domain=preview.test"],
      ["Clear-Site-Data", '"storage"'],
      ["Service-Worker-Allowed", "/"],
      ["NEL", '{"report_to":"x","max_age":1000,"success_fraction":1}'],
      ["Report-To", '{"group":"x","endpoints":[{"url":"https://evil.test"}]}'],
      ["Reporting-Endpoints", 'x="https://evil.test"'],
      ["Strict-Transport-Security", "max-age=0"],
      ["Alt-Svc", 'h2="evil.test:443"'],
      ["Accept-CH", "Sec-CH-UA"],
      ["Set-Login", "logged-in"],
      ["Yet-To-Be-Invented", "1"],
      ["ETag", '"1"'],
      ["X-Daytona-Any", "1"],
      ["Content-Security-Policy", "report-uri https://evil.test"],
      ["WWW-Authenticate", "Basic"],
      ["Content-Type", "text/html"],
    ]),
    [
      ["ETag", '"1"'],
      ["X-Daytona-Any", "1"],
      ["Content-Type", "text/html"],
      ["content-security-policy", "sandbox"],
      ["x-content-type-options", "nosniff"],
    ],
  );
});
