import assert from "node:assert/strict";
import { sharePage } from "../../../../src/features/shares/share_page.ts";
import script from "../../../../src/features/shares/share_page.js" with {
  type: "text",
};
import { dressed } from "../../../../src/pages/brand.ts";
import { pageScript } from "../../../../src/pages/script.ts";

const PATH = "/s/AAECAwQFBgcICQoLDA0ODw";
const SECRET = "c2VjcmV0";
const AT_PREVIEW = "https://3000-box.preview.test/?code=x";

/** What the gateway answers to the page's POST. */
type Answer = readonly [status: number, body: object];

const GOOD: Answer = [200, { location: AT_PREVIEW }];

function refusal(portholeCode: string): Answer {
  const message = `It says ${portholeCode}.`;
  return [401, { portholeCode, message, hint: "Do this." }];
}

/** What a browser keeps for a tab. */
type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function keptIn(values = new Map<string, string>()): Kept {
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

/** Loads the page's script with that fragment; the answers to what it asks come in their order. */
function load(
  fragment: string,
  { answers = [GOOD], kept = keptIn() }: {
    readonly answers?: readonly (Answer | "none")[];
    readonly kept?: Kept | null;
  } = {},
) {
  const asked: { readonly path: string; readonly options: RequestInit }[] = [];
  const led: string[] = [];
  const rewritten: (string | undefined)[] = [];
  const left = [...answers];
  const elements = {
    "[role]": { textContent: "of the document" },
    "form": { hidden: true, reportValidity: () => true },
    "form p": { hidden: true },
    "input": {
      value: "",
      required: false,
      isFocused: false,
      focus() {
        this.isFocused = true;
      },
      select() {},
    },
    "button": {
      onclick(_: object): Promise<void> {
        return assert.fail("nothing listens");
      },
    },
  };
  const globals = {
    location: {
      hash: fragment,
      pathname: PATH,
      replace: (url: string) => void led.push(`replace ${url}`),
      assign: (url: string) => void led.push(`assign ${url}`),
      reload: () => void led.push("reload"),
    },
    history: {
      replaceState: (...[, , url]: string[]) => void rewritten.push(url),
    },
    document: {
      querySelector: (selector: keyof typeof elements) => elements[selector],
    },
    get sessionStorage() {
      return kept;
    },
    fetch(path: string, options: RequestInit) {
      asked.push({ path, options });
      const answer = left.shift() ?? assert.fail("asked once too often");
      if (answer === "none") return Promise.reject(new TypeError("no network"));
      const [status, body] = answer;
      return Promise.resolve(Response.json(body, { status }));
    },
    onhashchange: () => {},
  };
  // As in a page, whatever the script assigns to is a property of the global object.
  new Function("globals", `with (globals) { ${script} }`)(globals);
  return {
    asked,
    led,
    rewritten,
    state: elements["[role]"],
    form: elements.form,
    field: elements["form p"],
    passcode: elements.input,
    globals,
    /** The bodies of what it has asked. */
    sent: () => asked.map(({ options }) => JSON.parse(String(options.body))),
    async press(isTrusted = true) {
      let isPrevented = false;
      await elements.button.onclick({
        isTrusted,
        preventDefault() {
          isPrevented = true;
        },
      });
      assert(isPrevented, "the form does nothing of its own");
    },
  };
}

Deno.test("the page runs its own script and style and no other, asks its own host only, and is in no frame and no index", async () => {
  const { headers, status, html } = await pageOf(sharePage());
  assert.equal(status, 200);
  const policy = headers.get("content-security-policy") ?? "";
  const directives = policy.split("; ");
  for (
    const [name, directive] of [["script", "script-src"], [
      "style",
      "style-src",
    ]] as const
  ) {
    const elements = new RegExp(`<${name}>([^]*?)</${name}>`, "g");
    const sources = [...html.matchAll(elements)]
      .map(([, text = ""]) => pageScript(text).source);
    assert.equal(sources.length, 1);
    assert(directives.includes(`${directive} ${sources[0]}`), policy);
  }
  assert(directives.includes("default-src 'none'"));
  assert(directives.includes("connect-src 'self'"));
  for (const name of ["form-action", "frame-ancestors", "base-uri"]) {
    assert(directives.includes(`${name} 'none'`), policy);
  }
  assert.doesNotMatch(html, / (?:style|on\w+)=/);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("x-robots-tag"), "noindex");
});

Deno.test("an operator's brand takes the place of our name on the page", async () => {
  const plain = await pageOf(sharePage());
  assert.match(plain.html, /class="status">Porthole</);
  const brand = { name: "Acme previews" };
  const { html, headers } = await pageOf(
    await dressed(sharePage(), () => brand),
  );
  assert.match(html, /Acme previews/);
  assert.doesNotMatch(html, /Porthole/);
  const policy = headers.get("content-security-policy");
  assert.notEqual(policy, plain.headers.get("content-security-policy"));
});

async function pageOf(response: Response) {
  const { headers, status } = response;
  return { headers, status, html: await response.text() };
}

Deno.test("the script takes the secret out of the address, and asks nothing before a press", () => {
  const { asked, rewritten, state, form, field } = load(`#${SECRET}`);
  assert.deepEqual(rewritten, [PATH]);
  assert.deepEqual(asked, []);
  assert.equal(state.textContent, "");
  assert.equal(form.hidden, false);
  assert.equal(field.hidden, true);
});

Deno.test("a press exchanges the secret for the way to the preview, in a body and in no URL", async () => {
  const { asked, led, sent, state, form, press } = load(`#${SECRET}`);
  await press();
  const [{ path, options } = assert.fail()] = asked;
  assert.equal(path, PATH);
  assert.equal(options.method, "POST");
  assert.deepEqual(options.headers, { "content-type": "application/json" });
  assert.deepEqual(sent(), [{ secret: SECRET }]);
  assert.deepEqual(led, [`replace ${AT_PREVIEW}`]);
  // If that is a download, the page stays.
  assert.equal(form.hidden, true);
  assert.equal(state.textContent, "The preview is on its way.");
});

Deno.test("a script's click opens nothing", async () => {
  const { asked, led, press } = load(`#${SECRET}`);
  await press(false);
  assert.deepEqual([asked, led], [[], []]);
});

Deno.test("a second press asks nothing while the first is under way, or the preview is", async () => {
  const { asked, press } = load(`#${SECRET}`, {
    answers: [refusal("share_invalid"), GOOD],
  });
  await Promise.all([press(), press()]);
  assert.equal(asked.length, 1);
  await press();
  assert.equal(asked.length, 2);
  await press();
  assert.equal(asked.length, 2);
});

Deno.test("a passcode is asked for once the gateway wants one, and again while it is wrong", async () => {
  const { state, field, form, passcode, sent, led, press } = load(
    `#${SECRET}`,
    {
      answers: [
        refusal("passcode_required"),
        refusal("passcode_wrong"),
        refusal("passcode_tries"),
        GOOD,
      ],
    },
  );
  await press();
  assert.equal(state.textContent, "It says passcode_required. Do this.");
  assert.equal(field.hidden, false);
  assert.equal(passcode.required, true);
  assert.equal(passcode.isFocused, true);

  form.reportValidity = () => false; // as the browser does while it is empty
  await press();
  assert.equal(sent().length, 1);
  form.reportValidity = () => true;
  for (
    const [value, told] of [
      ["wrong", "It says passcode_wrong. Do this."],
      ["again", "It says passcode_tries. Do this."],
    ] as const
  ) {
    passcode.value = value;
    await press();
    assert.equal(state.textContent, told);
  }
  passcode.value = "open sesame";
  await press();
  const passcodes = sent().map(({ passcode }) => passcode);
  assert.deepEqual(passcodes, [undefined, "wrong", "again", "open sesame"]);
  assert.deepEqual(led, [`replace ${AT_PREVIEW}`]);
});

Deno.test("a refusal is shown in the gateway's words, and asks for no passcode", async () => {
  for (const code of ["share_invalid", "share_used_up", "feature_off"]) {
    const { state, field, led, press } = load(`#${SECRET}`, {
      answers: [refusal(code)],
    });
    await press();
    assert.equal(state.textContent, `It says ${code}. Do this.`);
    assert.equal(field.hidden, true);
    assert.deepEqual(led, []);
  }
});

Deno.test("that nobody answers is said, and another press asks again", async () => {
  const { state, led, press } = load(`#${SECRET}`, {
    answers: ["none", [502, { message: "of a proxy" }], GOOD],
  });
  for (let time = 0; time < 2; time++) {
    await press();
    assert.match(state.textContent, /did not answer/);
  }
  await press();
  assert.deepEqual(led, [`replace ${AT_PREVIEW}`]);
});

Deno.test("a login that is wanted is gone to, with the secret kept for the way back, and for that only", async () => {
  const kept = keptIn();
  const loginUrl = "/login?return_to=x";
  const before = load(`#${SECRET}`, {
    kept,
    answers: [[401, { portholeCode: "login_required", loginUrl }]],
  });
  await before.press();
  assert.deepEqual(before.led, [`assign ${loginUrl}`]);
  assert.equal(kept.getItem(PATH), SECRET);

  const after = load("", { kept });
  assert.equal(kept.getItem(PATH), null);
  assert.deepEqual(after.asked, [], "nobody has pressed");
  await after.press();
  assert.deepEqual(after.sent(), [{ secret: SECRET }]);
});

Deno.test("another secret in the address counts before one that was kept", async () => {
  const kept = keptIn(new Map([[PATH, "old"]]));
  const { sent, press } = load(`#${SECRET}`, { kept });
  assert.equal(kept.getItem(PATH), null);
  await press();
  assert.deepEqual(sent(), [{ secret: SECRET }]);
});

Deno.test("where the browser keeps nothing, a link opens all the same, and leads to a login", async () => {
  const loginUrl = "/login?return_to=x";
  const wanted: Answer = [401, { portholeCode: "login_required", loginUrl }];
  const { led, press } = load(`#${SECRET}`, {
    kept: null,
    answers: [wanted, GOOD],
  });
  await press();
  await press();
  assert.deepEqual(led, [`assign ${loginUrl}`, `replace ${AT_PREVIEW}`]);
});

Deno.test("a link without its secret says so, and has nothing to press", () => {
  const { state, form } = load("");
  assert.match(state.textContent, /part of the link is missing/);
  assert.equal(form.hidden, true);
});

Deno.test("a link that is opened over the page is read anew", () => {
  const { globals, led } = load("");
  globals.onhashchange();
  assert.deepEqual(led, ["reload"]);
});
