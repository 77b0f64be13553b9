/** The owner's view of a sandbox, with requests that would be markup or commands if they were not taken for text. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { LoadClient } from "../../../support/load_client.ts";
import type { Page } from "../browser/page.ts";
import type { OpenOptions, Scenario, Stage } from "../scenario.ts";
import { checkAccessibility } from "./accessibility.ts";

const HOSTILE = `/echo?<img src=x onerror="document.title='owned'">`;
const HEADER = `</pre><script>document.title="owned"</script>`;

const SCREENS: Readonly<Record<string, OpenOptions>> = {
  light: { colorScheme: "light", window: { width: 1400, height: 900 } },
  dark: { colorScheme: "dark" },
  phone: { window: { width: 390, height: 844 } },
};

/** The text of an element. */
function textOf(page: Page, selector: string): Promise<string> {
  return page.evaluate<string>(
    `document.querySelector(${JSON.stringify(selector)}).textContent`,
  );
}

export const inspect: Scenario = {
  name:
    "who has logged in sees a sandbox's requests while they happen, as text whatever they contain",
  except: {
    firefox: "the view is judged in Chromium",
    webkit: "the view is judged in Chromium",
  },
  async run(stage) {
    for (const [screen, options] of Object.entries(SCREENS)) {
      // The view is opened last: a browser may put off the work of windows behind others.
      const app = await stage.open({ expectedErrors: /status of/ });
      await app.goto(stage.url("3000-locked"));
      await app.click("button", "alice");
      await app.shows("h2", "What the app receives");
      const view = await stage.open(options);
      const address = stage.url("", "/inspect/locked");
      await view.goto(address);
      await view.click("button", "alice");
      await view.untilAt(address);
      await view.shows("#state", "Watching.");
      if (screen !== "light") await view.shows("#rows td", "port_closed");
      await view.click("#clear", "Clear"); // the failures of before
      await app.evaluate(
        `fetch(${JSON.stringify(HOSTILE)}, { headers: {
          "x-evil": ${
          JSON.stringify(HEADER)
        }, "x-quote": "a'b", authorization: "Bearer secret-1",
        } }).then((response) => response.text())`,
      );
      await view.shows("#rows button", "onerror");
      await view.click("#rows button", "onerror");
      await view.shows("#details-title", "onerror");
      assert.match(await textOf(view, "#request-head"), /x-evil: <\/pre><scr/);
      assert.match(
        await textOf(view, "#request-head"),
        /authorization: \(hidden\)/,
      );
      assert.match(
        await textOf(view, "#left-out"),
        /authorization.* \(hidden here\); .*x-quote.* \(unsafe in a shell\)/,
      );
      assert.equal(
        await view.evaluate<number>(
          `document.querySelectorAll("#rows [aria-current=true]").length`,
        ),
        1,
      );
      assert.equal(await isBeside(view), screen === "light");
      if (screen === "light") assert.equal(await levelsOfTools(view), 1);
      const command = await textOf(view, "#curl");
      assert.match(command, /^curl --path-as-is --globoff/);
      assert.doesNotMatch(command, /x-quote|\n/);
      assert.doesNotMatch(command, /secret-1|authorization|cookie/i);
      assert.equal(
        await view.evaluate<number>(
          `document.querySelectorAll("#rows img, #rows script, #details script, #details img").length`,
        ),
        0,
      );
      assert.match(await view.title(), /^Requests to locked$/);
      await checkAccessibility(view, `the owner's view (${screen})`);
      await stage.screenshot(view, `inspect-${screen}`);
      await checkPause(view, app);
      await checkFilter(view, app);
      await checkHar(view);
      await checkPorts(view, app);
      if (screen === "light") await checkSample(stage, view);
    }
  },
};

/** True if the details are beside the list, which a wide screen has room for. */
async function isBeside(view: Page): Promise<boolean> {
  return await view.evaluate<boolean>(
    `document.getElementById("details").getBoundingClientRect().left >=
      document.getElementById("rows").getBoundingClientRect().right`,
  );
}

/** At how many heights the labels above the list begin. */
function levelsOfTools(view: Page): Promise<number> {
  return view.evaluate<number>(
    `new Set([...document.querySelectorAll(".tools label")]
      .map((label) => label.getBoundingClientRect().top)).size`,
  );
}

/** While the page is paused, it counts what comes; then that is in the order in which it began. */
async function checkPause(view: Page, app: Page): Promise<void> {
  await view.click("#pause", "Pause");
  await app.evaluate(
    `Promise.all([fetch("/bytes?size=10&late"), fetch("/nothing-here?paused")])
      .then((all) => Promise.all(all.map((each) => each.text())))`,
  );
  await view.shows("#pause", "2 more");
  const paused =
    `document.getElementById("rows").textContent.includes("?paused")`;
  assert.equal(await view.evaluate<boolean>(paused), false);
  await view.click("#pause", "Resume");
  await view.shows("#rows button", "?paused");
  const inOrder = await view.evaluate<boolean>(
    `[...document.querySelectorAll("#rows tr")].every((row, nth, all) =>
      nth === 0 || all[nth - 1].startedAt >= row.startedAt)`,
  );
  assert.ok(inOrder);
}

/** Whoever asks for port after port, which takes no access, does not fill the page. */
async function checkPorts(view: Page, app: Page): Promise<void> {
  await app.evaluate(
    `Promise.all(Array.from({ length: 150 }, (_, nth) => fetch(
      location.origin.replace("3000-", 5000 + nth + "-"), { mode: "no-cors" },
    ).catch(() => {})))`,
  );
  await view.shows("#rows td", "5149");
  const options = `document.querySelectorAll("#port option").length`;
  await view.until(`${options} >= 101`); // the others may come later
  assert.equal(await view.evaluate<number>(options), 101);
}

/** Of more requests than anybody reads, the page shows a sample, and says so, as its archive does. */
async function checkSample(stage: Stage, view: Page): Promise<void> {
  const { host, port } = new URL(stage.url("3000-locked"));
  using client = new LoadClient(Number(port));
  const request = {
    host,
    path: "/gzip",
    headers: { "x-daytona-preview-token": KEYS.lockedToken },
  };
  for (let round = 0; round < 30; round++) {
    await Promise.all(Array.from({ length: 100 }, () => client.send(request)));
  }
  await view.shows("#missed", "more requests were not shown");
  assert.match((await archiveOf(view)).log.comment ?? "", /is a sample\.$/);
  await stage.screenshot(view, "inspect-sample");
}

/** The port's failure is the gateway's own, and the only one that is left of all requests. */
async function checkFilter(view: Page, app: Page): Promise<void> {
  await app.evaluate(
    `fetch(location.origin.replace("3000-", "4999-"), { mode: "no-cors", credentials: "include" }).then(() => {}, () => {})`,
  );
  await view.shows("#rows td", "port_closed");
  await view.evaluate(
    `(() => {
      const status = document.getElementById("status");
      status.value = "gateway";
      status.dispatchEvent(new Event("input"));
    })()`,
  );
  const visible = await view.evaluate<string[]>(
    `[...document.querySelectorAll("#rows tr")].filter((row) => !row.hidden).map((row) => row.children[1].textContent)`,
  );
  assert.deepEqual(visible, ["4999"]);
}

/** The archive has what the filter shows, and says nothing of a sample where there is none. */
async function checkHar(view: Page): Promise<void> {
  const { log } = await archiveOf(view);
  assert.equal(log.version, "1.2");
  assert.equal(log.comment, undefined);
  assert.equal(log.entries.length, 1);
  const [entry] = log.entries;
  assert.match(entry?.request.url ?? "", /^http:\/\/4999-locked\./);
  assert.equal(entry?.response.status, 502);
  assert.match(entry?.response.content.mimeType ?? "", /^\w+\/[\w+]+/);
}

/** An HTTP Archive, as far as it is looked at. */
interface Archive {
  readonly log: {
    readonly version: string;
    readonly comment?: string;
    readonly entries: readonly {
      readonly request: { readonly url: string };
      readonly response: {
        readonly status: number;
        readonly content: { readonly mimeType: string };
      };
    }[];
  };
}

/** What the page has to download. */
async function archiveOf(view: Page): Promise<Archive> {
  const har = await view.evaluate<string>(`(async () => {
    let saved;
    URL.createObjectURL = (blob) => { saved = blob; return "#"; };
    document.getElementById("har").click();
    return await saved.text();
  })()`);
  return JSON.parse(har);
}
