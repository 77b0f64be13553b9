/** Every page of the gateway's own, in each of its states, by its path on a server of the tests. */
import { docsPage } from "../../../src/pages/docs_page.ts";
import { appsPage } from "../../../src/pages/apps_page.ts";
import {
  BASE_PAGE_POLICY,
  basePageHtml,
} from "../../../src/features/base_page/base_page.ts";
import {
  EMBED_HEADERS,
  EMBED_PAGE,
} from "../../../src/features/embeds/embed_page.ts";
import {
  NOTICE_HEADERS,
  noticePage,
} from "../../../src/features/identity/notice_page.ts";
import {
  INSPECT_POLICY,
  inspectPage,
} from "../../../src/features/inspect/inspect_page.ts";
import { sharePage } from "../../../src/features/shares/share_page.ts";
import { loginLink, startForm } from "../../../src/features/wake/start_form.ts";
import { LOGIN_PAGE_POLICY, loginPage } from "../../../src/pages/login_page.ts";
import { logoutPage } from "../../../src/pages/logout_page.ts";
import {
  type Brand,
  dressed,
  type GivenText,
  givenText,
} from "../../../src/pages/brand.ts";
import { PAGE_POLICY } from "../../../src/pages/page.ts";
import { problem } from "../../../src/pages/problem.ts";
import {
  WARNING_POLICY,
  warningPage,
} from "../../../src/features/warning/warning_page.ts";
import type { ErrorCode } from "../../../src/error_codes.ts";
import type { ErrorAdvice } from "../../../src/errors.ts";
import description from "../../../openapi/porthole.json" with { type: "json" };

function html(body: string, policy = PAGE_POLICY): Response {
  return new Response(body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    },
  });
}

const ABOUT = [
  { url: "/inspect/", text: "Requests" },
  { url: "/access/", text: "Access" },
];
const BASE_PAGE = {
  authority: "preview.example.com",
  version: "1.2.3",
  links: [],
  pages: ABOUT,
  hasLogin: true,
  users: ["somebody-with-a-long-name@department.example.com"],
};
const WARNED = {
  host: "3000-demo.preview.example.com",
  url: "https://3000-demo.preview.example.com/a?b",
};

/** What a page of an error can say besides its code. */
const ADVICE: Readonly<Record<string, ErrorAdvice>> = {
  "": {},
  ended: { endedAt: Date.parse("2026-11-29T15:00:00Z") },
  retry: { retryUrl: "https://3000-demo.preview.example.com/" },
  logout: { logoutUrl: "https://preview.example.com/logout" },
  start: {
    action: startForm({ token: "ticket", framedBy: [], operation: "start" }),
  },
  login: {
    action: loginLink("https://preview.example.com/login?return_to=x"),
  },
  recover: {
    action: startForm({ token: "ticket", framedBy: [], operation: "recover" }),
  },
  state: {
    sandbox: {
      state: "error",
      desiredState: "started",
      recoverable: true,
      errorReason: "Container exited: no space left on device",
    },
  },
};

/** An operator's brand, in colors of the least contrast. */
const BRAND: Brand = {
  name: "Previews of a company with a long name, by Acme",
  logo: `data:image/svg+xml,${
    encodeURIComponent(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 10"><script>document.title = "run"</script><rect width="60" height="10" fill="#c2410c"/></svg>',
    )
  }`,
  colors: { light: "#c2410c", dark: "#c96b3b" },
  help: "https://help.example.com/",
  texts: {
    port_closed: {
      de: {
        title: "Deine Anwendungsentwicklungsumgebung startet",
        detail: "Auf diesem Port der Sandbox antwortet noch kein Programm.",
        hint: "Bitte den Assistenten, die Anwendung zu starten.",
      },
    },
  },
};

/** All pages without a brand; of those of errors, what they can say besides their code. */
const OURS: ReadonlyMap<string, () => Response> = new Map([
  ["/base", () => html(basePageHtml(BASE_PAGE), BASE_PAGE_POLICY)],
  [
    "/embed",
    () => html(EMBED_PAGE, EMBED_HEADERS["content-security-policy"]),
  ],
  ["/base/links", () => {
    const links = [
      { url: "https://3000-demo.preview.example.com/", text: "a public one" },
    ];
    return html(basePageHtml({ ...BASE_PAGE, links }), BASE_PAGE_POLICY);
  }],
  ["/base/fault", () => {
    const refused = { port: "03000", sandbox: "no/such" };
    return html(basePageHtml({ ...BASE_PAGE, refused }), BASE_PAGE_POLICY);
  }],
  ["/share", sharePage],
  ["/docs", () => html(docsPage(description))],
  ["/docs/apps", () => html(appsPage())],
  ["/identity", () => {
    const host = { port: 3000, label: "demo", base: "p.test" };
    const notice = noticePage({
      returnTo: { host: { ...host, authoritySuffix: "preview.example.com" } },
      sandboxId: "0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a",
      claims: {
        email: "somebody-with-a-long-name@department.example.com",
        groups: ["staff", "a-group-with-a-name-that-is-quite-long"],
      },
    });
    return html(notice, NOTICE_HEADERS["content-security-policy"]);
  }],
  ["/inspect", () => html(inspectPage("demo", ABOUT), INSPECT_POLICY)],
  ["/login", () => {
    const query = new URLSearchParams("return_to=x");
    return html(loginPage(query), LOGIN_PAGE_POLICY);
  }],
  ...(["asking", "done", "deleted", "no_login"] as const).flatMap((state) =>
    [undefined, "a-sandbox"].map((sandbox) =>
      [
        `/logout/${state}/${sandbox ?? ""}`,
        () => html(logoutPage({ state, sandbox, hasHomePage: true })),
      ] as const
    )
  ),
  ...[false, true].map((isFramed) =>
    [
      `/warning/${isFramed ? "framed" : ""}`,
      () => html(warningPage({ ...WARNED, isFramed }), WARNING_POLICY),
    ] as const
  ),
  ["/error/waiting", () => problemPage("port_closed")],
  ...Object.entries(ADVICE).map(([name, advice]) =>
    [`/error/${name}`, () => problemPage("sandbox_stopped", advice)] as const
  ),
]);

/** Those that a brand may look different on. */
const BRANDED = [
  "/base",
  "/docs",
  "/inspect",
  "/login",
  "/share",
  "/logout/asking/",
  "/warning/",
  "/error/waiting",
  "/error/start",
];

/** All pages, and with a brand some. */
export const PAGES: ReadonlyMap<
  string,
  () => Response | Promise<Response>
> = new Map<string, () => Response | Promise<Response>>([
  ...OURS,
  ...BRANDED.map((path) =>
    [`/branded${path}`, () => {
      const page = OURS.get(path)?.() ?? problemPage("internal");
      return dressed(page, () => BRAND);
    }] as const
  ),
  ["/branded/text", () => {
    const headers = new Headers({ "accept-language": "de" });
    const given = givenText(() => BRAND, "port_closed", headers);
    return dressed(problemPage("port_closed", {}, given), () => BRAND);
  }],
]);

/** The page of an error. */
export function problemPage(
  code: ErrorCode,
  advice: ErrorAdvice = {},
  given?: GivenText,
): Response {
  return problem({
    code,
    given,
    port: 3000,
    sandbox: "0b9f1c1e-8f1c-4c57-9c0e-0f3f1d2c3b4a",
    requestId: "5e1c0ffe-12",
    asPage: true,
    isFramed: true,
    mayReload: true,
    // Long enough that none reloads while it is looked at.
    retryAfterSec: 600,
    advice,
    docsUrl: "https://preview.example.com/docs",
    ownersViewUrl: "https://preview.example.com/inspect/box",
    dashboardUrl: "https://daytona.example.com/dashboard",
  });
}
