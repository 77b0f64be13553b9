import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Brand, dressed, givenText } from "../../../src/pages/brand.ts";
import { appsPage } from "../../../src/pages/apps_page.ts";
import { errorText } from "../../../src/pages/error_texts.ts";
import { loginPage } from "../../../src/pages/login_page.ts";
import { logoutPage } from "../../../src/pages/logout_page.ts";
import {
  BASE_POLICY,
  page,
  PAGE_POLICY,
  PLAIN_POLICY,
} from "../../../src/pages/page.ts";
import { problem } from "../../../src/pages/problem.ts";
import { collectLog } from "../../support/collected_log.ts";

const POLICY = "content-security-policy";

const BRAND: Brand = {
  name: "Acme",
  logo: "data:image/png;base64,iVBORw0KGgo=",
  colors: { light: "#c2410c", dark: "#fb923c" },
  help: "https://help.example.com/?a&b",
  texts: {
    port_closed: {
      de: { title: "Noch <b>nichts</b>", hint: "Siehe /docs" },
      "pt-br": { detail: "Nada" },
    },
    sandbox_stopped: { de: { hint: "Wecke sie." } },
    internal: { en: { title: "Our fault" } },
  },
};

function html(body: string, policy = PAGE_POLICY): Response {
  return new Response(body, {
    status: 201,
    headers: { "content-type": "text/html; charset=utf-8", [POLICY]: policy },
  });
}

async function textOf(
  response: Response,
  brand: Brand = BRAND,
): Promise<string> {
  return await (await dressed(response, () => brand)).text();
}

Deno.test("dressed() changes nothing without a brand, and nothing that is no page, and answers at once", () => {
  const answer = html(page("x", "y"));
  Object.defineProperty(answer, "headers", { get: assert.fail }); // are not read
  assert.equal(dressed(answer, undefined), answer);
  assert.equal(dressed(answer, () => undefined), answer);
  const document = problem({
    code: "internal",
    requestId: "id",
    asPage: false,
  });
  for (const other of [document, new Response(null), Response.json({})]) {
    assert.equal(dressed(other, () => BRAND), other);
  }
  const head = new Response(null, html("").clone());
  assert.equal(dressed(head, () => BRAND), head);
});

Deno.test("a page that has no place for a brand is left as it is, and logged", async () => {
  await using log = await collectLog();
  const plain = page("x", "y");
  for (const other of [plain.replace("<main", "<div"), plain.slice(0, -20)]) {
    assert.equal(await textOf(html(other)), other);
  }
  assert.deepEqual(
    log.records().map(({ level, message }) => [level, message]),
    Array(2).fill(["ERROR", "page has no place for the brand"]),
  );
});

Deno.test("what a brand adds is made once, however many pages have it", async () => {
  let reads = 0;
  const brand: Brand = {
    name: "Acme",
    get logo() {
      reads++;
      return "data:,x";
    },
  };
  const texts = [
    await textOf(html(page("x", "y")), brand),
    await textOf(html(page("x", "y")), brand),
  ];
  assert.equal(texts[0], texts[1]);
  assert.equal(reads, 1);
  assert.match(
    await textOf(html(page("x", "y")), { name: "Other" }),
    />Other</,
  );
});

Deno.test("dressed() adds name, logo, colors and help to every page, and leaves the rest as it is", async () => {
  const pages = [
    page("x", "y"),
    page("x", "y", { wide: true, head: "<style>a {}</style>" }),
    page("x", "y", { mainClass: "inspect" }),
    appsPage(),
    loginPage(new URLSearchParams("return_to=x")),
    logoutPage({ state: "asking", sandbox: "box", hasHomePage: true }),
  ];
  for (const plain of pages) {
    const response = await dressed(html(plain), () => BRAND);
    assert.equal(response.status, 201);
    const text = await response.text();
    const added = [
      /<style>:root \{ --accent: #c2410c \}[^]*?--accent: #fb923c[^]*?<\/style>\n(?=<\/head>)/,
      /<p class="status brand"><img src="data:image\/png;base64,iVBORw0KGgo=" alt=""> Acme<\/p>\n/,
      /\n<p class="note help"><a href="https:\/\/help\.example\.com\/\?a&amp;b" target="_blank" rel="noopener">Help<\/a><\/p>(?=\n<\/main>)/,
    ];
    let rest = text;
    for (const each of added) {
      assert.match(rest, each);
      rest = rest.replace(each, "");
    }
    assert.equal(rest, plain);
  }
});

Deno.test("dressed() puts the operator's name in the place of ours", async () => {
  for (
    const ours of [
      '<p class="status">Porthole</p>\n',
      '<p class="status brand"><svg viewBox="0 0 1 1"><path d="M0"/></svg> Porthole</p>\n',
    ]
  ) {
    const text = await textOf(html(page("x", `${ours}<h1>y</h1>`)));
    assert.doesNotMatch(text, /Porthole/);
    assert.equal(text.split("Acme").length, 2);
  }
  const status = '<p class="status">404</p>\n';
  const text = await textOf(html(page("x", status)));
  assert(text.includes(`Acme</p>\n${status}`), text);
});

Deno.test("what a brand says is text, in whatever it says it", async () => {
  const evil = `"><script>alert('x')</script>$&$1</p>`;
  const plain = page("x", "y");
  const text = await textOf(html(plain), {
    name: evil,
    help: `https://x.test/${evil}`,
    logo: `data:,${evil}`,
  });
  assert.doesNotMatch(text, /<script|alert\('|\$<|y<p class="status/);
  const escaped =
    "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;$&amp;$1&lt;/p&gt;";
  assert.equal(text.split(escaped).length, 4, text);
});

Deno.test("a brand of a name alone has no more than that", async () => {
  const text = await textOf(html(page("x", "y")), { name: "Acme" });
  assert.match(text, /<p class="status brand">Acme<\/p>\n/);
  assert.doesNotMatch(text, /<img|>Help<|data:image\/png|#c2410c/);
});

Deno.test("a policy allows the brand's style, where it allows styles by hash, and is the same otherwise", async () => {
  for (const policy of [PAGE_POLICY, `${BASE_POLICY}; form-action 'none'`]) {
    const { headers } = await dressed(html(page("", ""), policy), () => BRAND);
    assert.equal(headers.get(POLICY), policy);
  }
  const policy = `${PLAIN_POLICY}; form-action 'none'`;
  const response = await dressed(html(page("", ""), policy), () => BRAND);
  const styles = (await response.text()).matchAll(/<style>([^]*?)<\/style>/g);
  const sources = [...styles].map(([, text = ""]) =>
    `'sha256-${createHash("sha256").update(text).digest("base64")}'`
  );
  assert.equal(sources.length, 2);
  assert.equal(
    response.headers.get(POLICY),
    policy.replace(/'sha256-[^']*'/, () => sources.join(" ")),
  );
});

Deno.test("givenText() is in the language that a visitor prefers, or English, which is ours unless given", () => {
  function given(code: "port_closed" | "internal", accept?: string) {
    const headers = new Headers(accept ? { "accept-language": accept } : {});
    return givenText(() => BRAND, code, headers);
  }
  const { de, "pt-br": ptBr } = BRAND.texts?.port_closed ?? {};
  const varies = { varies: true };
  for (
    const [accept, expected] of [
      ["de-AT, en", { ...de, buttonHint: de?.hint, language: "de", ...varies }],
      ["fr, pt-BR;q=0.1", { ...ptBr, language: "pt-br", ...varies }],
      ["en-GB, de;q=0.9", { language: "en", ...varies }],
      ["fr", { language: "en", ...varies }],
      [undefined, { language: "en", ...varies }],
    ] as const
  ) {
    assert.deepEqual(given("port_closed", accept), expected, `${accept}`);
  }
  assert.deepEqual(given("internal", "de"), {
    title: "Our fault",
    language: "en",
    varies: false,
  });
  const headers = new Headers({ "accept-language": "de" });
  assert.equal(givenText(() => BRAND, "not_found", headers), undefined);
  assert.equal(givenText(() => undefined, "internal", headers), undefined);
  assert.equal(givenText(undefined, "internal", headers), undefined);
});

Deno.test("problem() says what is given in place of our text, by its language, to people only", async () => {
  const headers = new Headers({ "accept-language": "de" });
  const options = {
    code: "port_closed",
    port: 3000,
    requestId: "id",
    docsUrl: "https://p.test/docs",
    given: givenText(() => BRAND, "port_closed", headers),
  } as const;
  const response = problem({ ...options, asPage: true });
  const text = await response.text();
  const ours = errorText("port_closed", { port: 3000 });
  assert(
    text.includes(`<h1 lang="de">Noch &lt;b&gt;nichts&lt;/b&gt;</h1>
<p>${ours.detail}</p>
<p lang="de">Siehe <a href="https://p.test/docs"`),
    text,
  );
  assert.match(text, /<title>3000: Noch &lt;b&gt;/);
  assert.match(response.headers.get("vary") ?? "", /, Accept-Language$/);

  const document = problem({ ...options, asPage: false });
  assert.doesNotMatch(document.headers.get("vary") ?? "", /Accept-Language/);
  const { title, detail, hint } = await document.json();
  assert.deepEqual({ title, detail, hint }, {
    title: ours.title,
    detail: ours.detail,
    hint: ours.hint,
  });
});

Deno.test("a page varies by language only if its text can", () => {
  const headers = new Headers({ "accept-language": "de" });
  for (
    const [code, varies] of [
      ["port_closed", true],
      ["internal", false],
      ["not_found", false],
    ] as const
  ) {
    const given = givenText(() => BRAND, code, headers);
    const page = problem({ code, requestId: "id", asPage: true, given });
    const vary = page.headers.get("vary") ?? "";
    assert.equal(vary.includes("Accept-Language"), varies, code);
  }
});

Deno.test("a given text for all cases of an error leaves what ours says of one, and may give that its title", async () => {
  const en = { title: "A title", detail: "A detail", hint: "A hint" };
  const ancestors = ["https://a.example"];
  for (
    const [code, data, replaced] of [
      ["frame_refused", {}, ["title", "detail", "hint"]],
      ...(["not_listed", "no_referer", "login_needed"] as const).map((it) =>
        ["frame_refused", { advice: { frameCause: it } }, ["title"]] as const
      ),
      ["grant_invalid", {}, ["title", "detail", "hint"]],
      ["grant_invalid", { advice: { ancestors } }, []],
      ["login_required", { port: 3000 }, ["title", "detail", "hint"]],
      ["login_required", { port: 2280 }, []],
    ] as const
  ) {
    const brand = { name: "Acme", texts: { [code]: { en } } };
    const given = givenText(() => brand, code, new Headers());
    const options = { code, requestId: "id", ...data };
    const text = await problem({ ...options, asPage: true, given }).text();
    const ours = errorText(code, data);
    for (const member of ["title", "detail", "hint"] as const) {
      const isReplaced = replaced.some((it) => it === member);
      const name = `${member} of ${JSON.stringify(options)}`;
      assert.equal(text.includes(`>${en[member]}<`), isReplaced, name);
      const start = `>${ours[member].slice(0, 20)}`; // without markup
      assert.equal(text.includes(start), !isReplaced, name);
    }
  }
});

Deno.test("a given hint is also the one beside a button", async () => {
  const headers = new Headers({ "accept-language": "de" });
  const action = { html: "<button>x</button>", policy: BASE_POLICY };
  const given = givenText(() => BRAND, "sandbox_stopped", headers);
  const response = problem({
    code: "sandbox_stopped",
    requestId: "id",
    asPage: true,
    advice: { action },
    given,
  });
  assert.match(
    await response.text(),
    /<p lang="de">Wecke sie\.<\/p>\n<button>/,
  );
});
