/** What a dev server is to the matrix: one file of `servers/` describes one of them. */
import type { BrowserContext, Page } from "playwright-core";

/** A dev server, a small project for it, and what has to work in a browser. */
export interface DevServer {
  /** For `--only`, and the name of its folder in the cache. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  readonly packages: NpmPackages | DebianPackages;
  /** The project's files by their paths; with `line`, the project has the line that {@linkcode DevServer.line} names. */
  files(settings: Settings): Readonly<Record<string, string>>;
  /** The program, from the project's packages or PATH, and its arguments; it has to listen on 127.0.0.1. */
  command(settings: Settings): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Targets that are asked for before the browser, so that what they need is compiled by then; `/` by default. */
  readonly warmUp?: readonly string[];
  readonly checks: readonly Check[];
  /** True if its page calls an API on another port. */
  readonly hasApi?: true;
  /** True if a sandbox with the label `porthole.app-origin=local` needs nothing else. */
  readonly worksInLocal?: true;
  /** The one line that the project itself needs otherwise; without this and the label, everything works as it is. */
  readonly line?: Line;
}

/** True for a dev server that works as it is: it needs neither its line nor the label. */
export function isComplete(
  { line, worksInLocal }: Pick<DevServer, "line" | "worksInLocal">,
): boolean {
  return line === undefined && !worksInLocal;
}

/** One line of a project's settings, as the table shows it. */
export interface Line {
  /** Markdown. */
  readonly text: string;
  /** Why the gateway cannot do without it. */
  readonly reason: string;
}

/** Packages of the npm registry. */
export interface NpmPackages {
  readonly npm: Readonly<Record<string, string>>;
  /** The package whose version the table shows; by default, the first one. */
  readonly main?: string;
  /** True if the project's scripts are modules. */
  readonly module?: true;
  /** True if a package only works after its install scripts, which are not run otherwise. */
  readonly scripts?: true;
  /** Folders of the packages that have dependencies of their own, which an install script would fetch and build. */
  readonly within?: readonly string[];
  /** What the project needs of Debian besides. */
  readonly debian?: readonly [string, ...string[]];
  /** True if it wants a newer Node than the oldest that is maintained. */
  readonly newNode?: true;
}

/** Packages of Debian; the table shows the version of the first one. */
export interface DebianPackages {
  readonly debian: readonly [string, ...string[]];
}

/** What differs from run to run. */
export interface Settings {
  /** Where the dev server has to listen, and its port in the sandbox. */
  readonly port: number;
  /** That of its API, if it has one. */
  readonly apiPort: number;
  /** The public origins of the app. */
  readonly origins: readonly string[];
  /** True for the project with its line. */
  readonly line: boolean;
}

/** What can be wrong, in the words of the table. */
export const FAULTS = {
  page: "page not interactive",
  edit: "edits do not arrive",
  form: "forms refused",
  redirect: "redirects lead away",
  socket: "its WebSocket is refused",
  api: "calls of its API refused",
} as const;

/** One thing that has to work. */
export interface Check {
  readonly what: keyof typeof FAULTS;
  /** @throws {Error} if it does not. */
  run(visit: Visit): Promise<void>;
}

/** A visitor of the app. */
export interface Visit {
  /** Where the app is: `https://3000-demo.preview.example.com:8443`. */
  readonly origin: string;
  /** Where its API is. */
  readonly apiOrigin: string;
  readonly page: Page;
  readonly context: BrowserContext;
  /** The app's heading: "Before", until the first edit. */
  heading(): string;
  /** Gives the app another heading, in the file that has it. */
  edit(file: string): Promise<void>;
}
