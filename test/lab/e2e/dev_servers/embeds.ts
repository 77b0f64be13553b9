/** `--embeds`: dev servers in the frame of a product's page, over HTTPS. */
import assert from "node:assert/strict";
import { CA, LOCALHOST } from "../../../support/certificates.ts";
import { recordsFile } from "../../../support/records_file.ts";
import type { Engine, EngineName } from "../browser/engine.ts";
import { Page } from "../browser/page.ts";
import { leave } from "../embed_world.ts";
import { Backend, frameWith, hears, productPage, show } from "../product.ts";
import { serveOnLoopback } from "../scenarios/isolation_apps.ts";
import { COUNTS } from "./checks.ts";
import type { DevServer } from "./dev_server.ts";
import { type EngineRow, runRows } from "./engines.ts";
import { DOMAIN, type Gateways, startGateways } from "./gateways.ts";
import { type Project, startProject } from "./matrix.ts";
import { install } from "./packages.ts";
import { ADMIN, djangoAdmin } from "./servers/django_admin.ts";
import { next } from "./servers/next.ts";
import { vite } from "./servers/vite.ts";

/** A site of its own, and the port that serves all of the product's hosts. */
const OTHER_SITE = "product.example.net";

/** What is tried: what the product's page has to see of a project in its frame. */
interface Embedded {
  readonly server: DevServer;
  readonly what: string;
  readonly path: string;
  check(page: Page, project: Project): Promise<void>;
}

const EMBEDDED: readonly Embedded[] = [
  {
    server: vite,
    what: "an edit arrives",
    path: "/",
    check: (page, { source }) => reloadsHot(page, source, "src/words.js"),
  },
  {
    server: next,
    what: "an edit arrives, and the cookie of a form's action comes back",
    path: "/",
    async check(page, { source }) {
      await reloadsHot(page, source, "app/page.jsx");
      const frame = await frameWith(page, source.heading());
      await frame.fill("#word", "porthole");
      await frame.click("#send");
      const said = await frameWith(page, "porthole", { end: "/said" });
      await said.evaluate("void location.reload()");
      await frameWith(page, "porthole", { end: "/said" });
    },
  },
  {
    server: djangoAdmin,
    what: "a login holds, and a form of who is logged in is taken",
    path: "/admin/",
    async check(page) {
      const login = await frameWith(page, "Password");
      // Before its styles, the button is elsewhere.
      await login.until("document.readyState === 'complete'");
      await login.fill("[name=username]", ADMIN.name);
      await login.fill("[name=password]", ADMIN.password);
      await login.click("[type=submit]");
      const home = await frameWith(page, "Site administration");
      await home.click("a", "Groups");
      await (await frameWith(page, "Select group")).click("a", "Add group");
      const form = await frameWith(page, "Add group", { end: "/add/" });
      await form.fill("[name=name]", "porthole");
      await form.click("[name=_save]");
      await frameWith(page, "was added successfully");
    },
  },
];

/** Runs them in the engines that are installed, and returns the exit code. */
export async function runEmbeds(
  engines: readonly EngineName[],
): Promise<number> {
  await using started = new AsyncDisposableStack();
  const records = started.use(await recordsFile());
  const gateways = started.use(
    await startGateways({
      EMBEDS: "members",
      EMBED_BRIDGE: "true",
      ...records.environment,
    }),
  );
  const port = gateways.ports.https;
  const { cert, key } = LOCALHOST;
  const pages = started.use(
    serveOnLoopback(
      (request) => productPage(request, `https://${DOMAIN}:${port}`),
      { cert, key },
    ),
  );
  const client = Deno.createHttpClient({
    caCerts: [CA],
    allowHost: true,
    http2: false, // there, Host would not count
  });
  started.defer(() => client.close());

  /** WebKit keeps no cookies in frames of other sites. */
  function productOf({ name }: Pick<Engine, "name">): string {
    const host = name === "webkit" ? `product.${DOMAIN}` : OTHER_SITE;
    return `https://${host}:${pages.port}`;
  }

  function backendOf(engine: Engine): Backend {
    return new Backend({
      sandbox: "auto",
      product: productOf(engine),
      async send({ path, method = "GET", headers = {}, body = null }) {
        const response = await fetch(`https://localhost:${port}${path}`, {
          method,
          headers: { ...headers, host: `${DOMAIN}:${port}` },
          body: body as string | null,
          client,
        });
        return { status: response.status, body: await response.text() };
      },
    });
  }

  const rows = EMBEDDED.map((embedded): EngineRow => ({
    title: `in a frame of ${embedded.server.title}, ${embedded.what}`,
    run: (engine) =>
      tryOne(embedded, {
        engine,
        gateways,
        product: productOf(engine),
        backend: backendOf(engine),
      }),
  }));
  return await runRows(
    rows,
    engines,
    (host, asked) => asked === pages.port || gateways.isKnown(host, asked),
  );
}

async function tryOne(
  { server, path, check }: Embedded,
  { engine, gateways, product, backend }: {
    readonly engine: Engine;
    readonly gateways: Gateways;
    readonly product: string;
    readonly backend: Backend;
  },
): Promise<void> {
  await using project = await startProject(
    server,
    await install(server),
    { gateways, modes: ["auto"], line: false },
  );
  await using profile = await engine.openProfile({ partitionsCookies: true });
  const page = new Page(await profile.newTab(), profile);
  await page.goto(`${product}/`);
  const bridge = ["navigation", "console", "errors"];
  await show(page, await backend.make(project.port, { path, bridge }));
  try {
    await hears(page, "states", "ready");
    await hears(page, "paths", path);
    await check(page, project);
    // A framework that finds another page than it has sent says so.
    const faults = "JSON.stringify([...told.errors, ...told.lines])";
    assert.doesNotMatch(await page.evaluate<string>(faults), /hydrat/i);
    assert.deepEqual(await page.evaluate("told.errors"), []);
  } finally {
    await leave(page);
  }
}

/** Has an edit arrive in the frame, which is not loaded anew. */
async function reloadsHot(
  page: Page,
  source: Project["source"],
  file: string,
): Promise<void> {
  const frame = await frameWith(page, source.heading());
  await frame.until(COUNTS);
  await frame.evaluate("void (globalThis.marked = true)");
  await source.edit(file);
  await frame.shows("h1", source.heading());
  assert.equal(await frame.evaluate("globalThis.marked"), true);
}
