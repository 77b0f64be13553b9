/** The demo's output: links to open and commands to paste, with what each demonstrates. */
import type { Link } from "../../src/gateway/feature_module.ts";
import { HOSTED_KEYS } from "../stand_in/hosted_stack.ts";
import { KEYS } from "../stand_in/stack.ts";

/** In front of a hosted Daytona: whom the operator lets in by a login, which is alice, and the name of `demo`. */
export const LOGIN_ALLOW = "group:staff";
export const NAME = "shop";

/** One thing to try. */
export interface Sample {
  readonly shows: string;
  readonly url: string;
  /** What it is listed below in a browser. */
  readonly group?: string;
  /** Arguments for curl besides the URL; undefined for a link to open in a browser. */
  readonly curl?: readonly string[];
  /** The status of the response, without following redirects. */
  readonly status: number;
}

/** Everything to try, with a gateway on `port`, in front of a hosted Daytona or one's own. */
export function samples(port: number, hosted = false): readonly Sample[] {
  function at(label: string, target: string): string {
    return `http://${label}.proxy.localhost:${port}${target}`;
  }
  return [
    {
      group: "Public",
      shows: "a public sandbox",
      url: at("3000-demo", "/"),
      status: 200,
    },
    ...hosted
      ? [{
        group: "Public",
        shows: "the same, by its name",
        url: at(`3000-${NAME}`, "/"),
        status: 200,
      }]
      : [],
    {
      group: "Private",
      shows: hosted
        ? `a private one: log in at your own provider as alice, whom LOGIN_ALLOW=${LOGIN_ALLOW} lets in, or as mallory`
        : "a private one: log in as alice, who has access, or as mallory, who does not",
      url: at("3000-locked", "/"),
      status: 302,
    },
    {
      group: "Private",
      shows: "the requests to it, as long as you look; as alice",
      url: `http://proxy.localhost:${port}/inspect/locked`,
      status: 302,
    },
    {
      group: "Private",
      shows: "the same sandbox, opened with its preview token",
      url: at("3000-locked", `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`),
      status: 303,
    },
    {
      group: "Private",
      shows: "the same, opened by a signed link for one port",
      url: at(`3000-${KEYS.signedToken}`, "/"),
      status: 200,
    },
    {
      group: "Not running",
      shows: "a sandbox that is not running",
      url: at("3000-stopped", "/"),
      status: 503,
    },
    {
      group: "Not running",
      shows:
        "another: as alice, start it by its button; it takes about 5 seconds",
      url: at("3000-asleep", "/echo?path=kept#and-fragment"),
      status: 302,
    },
    {
      group: "Not running",
      shows: "one that is archived, and restored first",
      url: at("3000-archived", "/"),
      status: 302,
    },
    {
      group: "Not running",
      shows: "one that fails to start",
      url: at("3000-failing", "/"),
      status: 302,
    },
    ...hosted ? [] : [{
      group: "Not running",
      shows: "one that has failed, and that a member such as alice can recover",
      url: at("3000-recoverable", "/"),
      status: 302,
    }],
    {
      shows: "what the app receives",
      url: at("3000-demo", "/echo?q=(x)"),
      curl: [],
      status: 200,
    },
    {
      shows: "no access without a credential",
      url: at("3000-locked", "/echo"),
      curl: ["-i"],
      status: 401,
    },
    {
      shows: "with the preview token",
      url: at("3000-locked", "/echo"),
      curl: ["-H", `X-Daytona-Preview-Token: ${KEYS.lockedToken}`],
      status: 200,
    },
    {
      shows: hosted
        ? "with the Daytona key of a member of the organization"
        : "with a user's API key",
      url: at("3000-locked", "/echo"),
      curl: [
        "-H",
        `Authorization: Bearer ${hosted ? HOSTED_KEYS.member : KEYS.user}`,
      ],
      status: 200,
    },
    {
      shows: "server-sent events, as they happen",
      url: at("3000-demo", "/sse?count=10"),
      curl: ["-N"],
      status: 200,
    },
    {
      shows: "a gigabyte, in constant memory",
      url: at("3000-demo", "/bytes?size=1073741824"),
      curl: ["-o", "/dev/null"],
      status: 200,
    },
  ];
}

/** What a demo has. */
export interface Contents {
  readonly hosted: boolean;
  /** The page with a preview in a frame, if it has one. */
  readonly product: string | undefined;
}

/** What there is to open in a browser: the page of the base domain links it, too. */
export function links(
  port: number,
  { hosted, product }: Contents,
): readonly Link[] {
  return [
    ...samples(port, hosted)
      .filter(({ curl }) => curl === undefined)
      .map(({ shows, url, group }) => ({ url, text: shows, group })),
    {
      url: `http://5173-demo.proxy.localhost:${port}/`,
      group: "Your own",
      text:
        "your own dev server on port 5173, or any other port of this machine",
    },
    ...product === undefined ? [] : [{
      group: "In a frame",
      url: product,
      text: "a page of a product, with an app of Vite's in it",
    }, {
      group: "Shared",
      url: `http://proxy.localhost:${port}/access/locked#shares`,
      text: "as alice, make a link by which others open the private one",
    }],
  ];
}

/** The text to print, without colours. */
export function welcome(port: number, contents: Contents): string {
  const { hosted } = contents;
  const commands = samples(port, hosted).filter(({ curl }) =>
    curl !== undefined
  );
  const daytona = hosted ? "Daytona that somebody else operates" : "Daytona";
  return `Porthole is running in front of a stand-in ${daytona}. Open in a browser:

  http://proxy.localhost:${port}/
      the page of the base domain, which links all of these
${
    links(port, contents).map(({ url, text }) => `  ${url}\n      ${text}`)
      .join("\n")
  }

Or in a terminal:

${
    commands.map((sample) => `  ${commandOf(sample)}\n      ${sample.shows}`)
      .join("\n")
  }

While it runs, pages in your browser can reach this machine's ports through it. Press Ctrl-C to stop.
`;
}

function commandOf({ url, curl = [] }: Sample): string {
  const words = ["curl", ...curl, url];
  return words.map((word) => /^[\w.:/-]+$/.test(word) ? word : `'${word}'`)
    .join(" ");
}
