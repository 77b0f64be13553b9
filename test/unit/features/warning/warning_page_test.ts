import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  WARNING_POLICY,
  warningPage,
} from "../../../../src/features/warning/warning_page.ts";

const HOST = "3000-demo.preview.example.com";
const URL_OF_APP = `https://${HOST}/a?b`;

Deno.test("warningPage() names the host and posts the URL that the visitor wanted", () => {
  const html = warningPage({ host: HOST, url: URL_OF_APP, isFramed: false });
  assert.match(html, /<html lang="en">/);
  assert.equal(html.match(/<h1>/g)?.length, 1);
  assert.ok(html.includes(`<p class="host">${HOST}</p>`));
  assert.match(
    html,
    /<form method="post" action="\/accept-daytona-preview-warning">/,
  );
  assert.ok(html.includes(`name="redirect" value="${URL_OF_APP}"`));
});

Deno.test("warningPage() escapes host and URL", () => {
  const hostile = `"'><script>alert(1)</script>&amp;`;
  const html = warningPage({
    host: hostile,
    url: `https://${HOST}/?${hostile}`,
    isFramed: true,
  });
  assert.doesNotMatch(html, /<script>alert|"'>|&amp;amp;amp;/);
  const escaped = "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
  // Title, host, form and link.
  assert.equal(html.split(escaped).length - 1, 4);
});

Deno.test("warningPage() links a new tab only inside a frame", () => {
  const link =
    `<a href="${URL_OF_APP}" data-here target="_blank" rel="noopener`;
  const page = { host: HOST, url: URL_OF_APP };
  assert.ok(warningPage({ ...page, isFramed: true }).includes(link));
  assert.ok(!warningPage({ ...page, isFramed: false }).includes("<a "));
});

Deno.test("WARNING_POLICY allows the one script that keeps the fragment, and nothing from elsewhere", () => {
  const html = warningPage({ host: HOST, url: URL_OF_APP, isFramed: true });
  const [[, script = ""] = [], ...others] = html.matchAll(
    /<script>([^]*?)<\/script>/g,
  );
  assert.deepEqual(others, []);
  const digest = createHash("sha256").update(script).digest("base64");
  assert.match(WARNING_POLICY, /^default-src 'none'; /);
  assert.match(WARNING_POLICY, /base-uri 'none'/);
  assert.ok(WARNING_POLICY.endsWith(`; script-src 'sha256-${digest}'`));
  assert.doesNotMatch(WARNING_POLICY, /form-action|frame-ancestors/);
});
