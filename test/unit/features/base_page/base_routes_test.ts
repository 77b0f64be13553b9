import assert from "node:assert/strict";
import { addBasePage } from "../../../../src/features/base_page/base_routes.ts";
import type { Link } from "../../../../src/gateway/feature_module.ts";
import { CONTROL_COOKIES, setUpControl } from "../../../support/control.ts";

/** The control plane of `p.test` with the page of the base domain. */
function setUp(
  links: readonly Link[] = [
    { url: "https://3000-box.p.test/?a&b", text: "A <b>" },
  ],
) {
  const version = "0.0.0";
  const scheme = "https";
  const sandboxPages = () => [{ url: "/about/", text: "About it" }];
  return setUpControl((parts) => [
    (app) =>
      addBasePage(app, { version, scheme, links, sandboxPages, ...parts }),
  ]);
}

Deno.test("the page of the base domain has a form, what the operator links, /docs, /logout and the version, and is on base hosts only", async () => {
  const { send, state } = setUp();
  const { response, status } = await send("/");
  const html = await response.text();
  assert.equal(status, 200);
  assert.match(html, /<form action="\/open">/);
  assert.ok(html.includes("{port}-{sandbox}.p.test"));
  assert.ok(
    html.includes('href="https://3000-box.p.test/?a&amp;b">A &lt;b&gt;'),
  );
  for (const path of ["/docs", "/logout"]) {
    assert.ok(html.includes(`href="${path}"`));
  }
  assert.match(html, /Porthole 0\.0\.0/);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; .*; frame-ancestors 'none'$/);
  // Chromium would also hold it against the login that follows the form.
  assert.doesNotMatch(policy, /form-action|script/);
  assert.equal(response.headers.get("cache-control"), "no-store");

  state.loginState = "off";
  const plain = await (await send("/")).response.text();
  assert.doesNotMatch(plain, /logout/);

  for (const path of ["/", "/open?port=3000&sandbox=box"]) {
    const elsewhere = await send(path, { base: null });
    assert.deepEqual([elsewhere.status, elsewhere.code], [
      404,
      "route_not_found",
    ]);
  }
});

Deno.test("/open leads to the preview that the form names, below the very host that it is on", async () => {
  const { send, state } = setUp();
  for (
    const [query, location] of [
      ["port=3000&sandbox=box", "https://3000-box.p.test/"],
      ["port=+65535+&sandbox=+BOX_1-x", "https://65535-box_1-x.p.test/"],
      // Only what the form sends counts.
      ["port=1&sandbox=b&x=//evil.example", "https://1-b.p.test/"],
      // A pasted address counts by itself, whatever its domain.
      [
        `sandbox=${encodeURIComponent("https://5173-box.p.test/a?b=(1)#c")}`,
        "https://5173-box.p.test/a?b=(1)#c",
      ],
      [
        `port=1&sandbox=${encodeURIComponent(" 3000-Box.proxy.example:8443 ")}`,
        "https://3000-box.p.test/",
      ],
      [
        `sandbox=${
          encodeURIComponent("http://1-b.evil.example//evil.example")
        }`,
        "https://1-b.p.test//evil.example",
      ],
    ]
  ) {
    const { response, status } = await send(`/open?${query}`);
    assert.equal(status, 303);
    assert.equal(response.headers.get("location"), location);
  }
  // A host below one base domain can be that of another.
  state.baseDomains = ["box.p.test", "p.test"];
  const { status } = await send("/open?port=3000&sandbox=x.box");
  assert.equal(status, 400);
});

Deno.test("/open leads to the page about a sandbox that its form names, and to no other path", async () => {
  const { send } = setUp();
  const html = await (await send("/")).response.text();
  assert.ok(
    html.includes(
      '<button class="quiet" name="page" value="/about/">About it</button>',
    ),
  );
  for (
    const [query, location] of [
      ["port=&sandbox=+Box_1+&page=/about/", "/about/box_1"],
      ["port=3000&sandbox=box&page=/about/", "/about/box"],
      ["sandbox=https://5173-box.p.test/a?b&page=/about/", "/about/box"],
      ["port=3000&sandbox=box&page=/logout", "https://3000-box.p.test/"],
      ["port=3000&sandbox=box&page=//evil.test/", "https://3000-box.p.test/"],
    ] as const
  ) {
    const { response, status } = await send(`/open?${query}`);
    assert.equal(status, 303, query);
    assert.equal(response.headers.get("location"), location);
  }
  for (const sandbox of ["", "..", "a/b", "%5Cevil.test", "a%0Ab", "a.b"]) {
    const query = `port=3000&sandbox=${sandbox}&page=/about/`;
    const { status } = await send(`/open?${query}`);
    assert.equal(status, 400, sandbox);
  }
});

Deno.test("the page of the base domain has a name and an icon, and lists links by their groups", async () => {
  const link = (group: string | undefined, text: string) => ({
    url: "https://3000-box.p.test/",
    text,
    group,
  });
  const { send } = setUp([
    link("Public", "one"),
    link("Private <", "two"),
    link("Public", "three"),
  ]);
  const html = await (await send("/")).response.text();
  assert.match(html, /<p class="status brand"><svg [^]*<\/svg> Porthole<\/p>/);
  assert.match(
    html,
    /<h3>Public<\/h3>[^]*>one<[^]*>three<[^]*<h3>Private &lt;<\/h3>[^]*>two</,
  );
});

Deno.test("the page of the base domain says who has logged in, once for all of their sessions", async () => {
  const { send, state } = setUp();
  const sessions = ["a", "b"].map((label) =>
    `${CONTROL_COOKIES.loginSession(label)}=sealed`
  );
  const headers = { cookie: sessions.join("; ") };
  const unknown = await (await send("/", { headers })).response.text();
  assert.doesNotMatch(unknown, /Logged in/);
  state.userName = "a<b@p.test";
  for (const path of ["/", "/open?port=0"]) {
    const accept = "text/html";
    const { response } = await send(path, { headers: { ...headers, accept } });
    const html = await response.text();
    assert.match(html, /Logged in as <span class="name">a&lt;b@p\.test</);
  }
  for (const cookie of ["", `${CONTROL_COOKIES.loginSession("a")}=forged`]) {
    const { response } = await send("/", { headers: { cookie } });
    assert.doesNotMatch(await response.text(), /Logged in/);
  }
});

Deno.test("whoever comes to no page of the base domain is led to the one with the form", async () => {
  const { send } = setUp();
  const headers = { accept: "text/html" };
  const button = '<a class="button" href="/">Open a preview</a>';
  for (
    const [path, code] of [
      ["/nowhere", "route_not_found"],
      ["/login", "bad_request"],
      ["/login?return_to=x", "bad_return_url"],
    ] as const
  ) {
    const { response, code: told } = await send(path, { headers });
    assert.equal(told, code);
    assert.ok((await response.text()).includes(button), path);
  }
  const elsewhere = await send("/nowhere", { headers, base: null });
  assert.ok(!(await elsewhere.response.text()).includes(button));
});

Deno.test("/open leads nowhere else, and says so on the page again", async () => {
  const { send } = setUp();
  const accept = { accept: "text/html" };
  for (
    const [port, sandbox] of [
      ["", ""],
      ["03000", "box"],
      ["0", "box"],
      ["65536", "box"],
      ["3e3", "box"],
      ["3000", ""],
      ["3000", "box.evil.example/"],
      ["3000", "box@evil.example"],
      ["3000", "//evil.example"],
      ["3000", "evil.example#"],
      ["3000", "evil.example\\"],
      ["3000", "a\r\nset-cookie:b"],
      ["3000", "böx"],
      ["3000", "x".repeat(58)],
      ["3000-a", "/../b"],
      // Together they would name the port 3000 of another sandbox, a-b.
      ["3000-a", "b"],
    ]
  ) {
    const query = new URLSearchParams({
      port: port ?? "",
      sandbox: sandbox ?? "",
    });
    const page = await send(`/open?${query}`, { headers: accept });
    assert.deepEqual(
      [page.status, page.code],
      [400, "bad_request"],
      `${query}`,
    );
    assert.equal(page.response.headers.get("location"), null);
    assert.match(await page.response.text(), /<p id="fault" role="alert">/);
    const plain = await send(`/open?${query}`);
    assert.deepEqual([plain.status, plain.code], [400, "bad_request"]);
    assert.match(
      plain.response.headers.get("content-type") ?? "",
      /problem\+json/,
    );
  }
  const hostile = new URLSearchParams({ port: '"><b>', sandbox: "'<i>" });
  const { response } = await send(`/open?${hostile}`, { headers: accept });
  const html = await response.text();
  assert.doesNotMatch(html, /<b>|<i>/);
  assert.ok(html.includes('value="&quot;&gt;&lt;b&gt;"'));
});

Deno.test("the description of the base domain's page is the same whether it is switched on or not", async () => {
  const descriptions = await Promise.all(
    [setUp(), setUpControl()].map(async ({ send }) => {
      const { response } = await send("/openapi.json");
      return await response.json();
    }),
  );
  assert.ok("/open" in descriptions[0].paths);
  assert.deepEqual(descriptions[0], descriptions[1]);
});

Deno.test("without it there is no page on a base host", async () => {
  const { send } = setUpControl();
  for (const path of ["/", "/open?port=3000&sandbox=box"]) {
    const { status, code } = await send(path);
    assert.deepEqual([status, code], [404, "route_not_found"]);
  }
});
