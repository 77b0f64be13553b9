/** Generated from src/features/embeds/client/embed.d.ts (`deno task gen`): edit that file, not this one. */
const text: string = `/** Previews of Porthole in a page of yours. */

/** What a preview does; whatever it does, the gateway shows a page that says so where the app is not shown. */
export type PreviewState =
  /** The sandbox starts. */
  | "starting"
  /** Nothing answers yet; the frame shows the app as soon as something does. */
  | "waiting"
  /** The app is shown. */
  | "ready"
  /** It may not be shown in this frame, or fails in a way that does not pass: \`code\` says which. */
  | "refused"
  /** The sandbox does not run. */
  | "stopped"
  /** The embed is over, or its sandbox is gone. */
  | "ended";

/** A change of state. */
export interface StateMessage {
  readonly state: PreviewState;
  /** The gateway's error code; null while it is \`ready\`. */
  readonly code: string | null;
  readonly port?: number;
  /** When to ask again, if somebody has to, seconds. */
  readonly retryAfterSec?: number;
}

/** The app is at another address; of an embed with the bridge \`navigation\`. */
export interface NavigationMessage {
  readonly type: "navigation";
  /** Path, query and fragment. */
  readonly path: string;
}

/** Something went wrong in the app's page; of an embed with the bridge \`errors\`. */
export interface ErrorMessage {
  readonly type: "error";
  readonly kind: "error" | "rejection" | "fetch";
  /** At most 2 KiB. */
  readonly message: string;
}

/** The app's page wrote to its console; of an embed with the bridge \`console\`. */
export interface ConsoleMessage {
  readonly type: "console";
  readonly level: "debug" | "log" | "info" | "warn" | "error";
  /** At most 2 KiB. */
  readonly text: string;
}

/** Whatever comes out of a frame; an app can send the same, so nothing secret or dangerous may follow from it. */
export type FrameMessage =
  | { readonly type: "state" } & StateMessage
  | { readonly type: "renewed" }
  | NavigationMessage
  | ErrorMessage
  | ConsoleMessage;

/** What to show, and who hears of it. */
export interface MountOptions {
  /** The \`url\` of an embed, which is good once and for a minute, or one with a ticket. */
  readonly url: string;
  /** Of the embed: with both, states are heard also while the app is shown. */
  readonly stateUrl?: string;
  readonly stateToken?: string;
  /** The path that {@linkcode Embedded.reload} opens unless \`navigation\` tells of a later one; \`/\` by default. */
  readonly path?: string;
  /** The frame's, for people who cannot see it; \`Preview\` by default. */
  readonly title?: string;
  /** The frame's permissions; by default to write to the clipboard, to fill the screen and to be isolated. */
  readonly allow?: string;
  /**
   * The frame's restrictions; by default an app may do everything but lead the page around it elsewhere. Previews need
   * \`allow-scripts allow-same-origin\`. Null for none.
   */
  readonly sandbox?: string | null;
  onState?(message: StateMessage): void;
  onNavigate?(message: NavigationMessage): void;
  onError?(message: ErrorMessage): void;
  onConsole?(message: ConsoleMessage): void;
}

/** A preview in a page. */
export interface Embedded {
  readonly iframe: HTMLIFrameElement;
  /**
   * Makes the preview last longer without loading it anew: by another \`url\` of the embed, and the \`stateToken\` that came
   * with it. Rejects if that is refused, after 10 s, and once the preview is unmounted.
   */
  renew(url: string, stateToken?: string): Promise<void>;
  /**
   * Opens an address of the app: a path, which begins with \`/\`, with its query and fragment.
   *
   * @throws {TypeError} if it is none
   */
  navigate(path: string): void;
  /** Opens the latest known path anew. */
  reload(): void;
  /** Removes the frame, and stops to listen. */
  unmount(): void;
}

/** Shows a preview in \`element\`, which it fills. */
export function mount(element: Element, options: MountOptions): Embedded;
`;
export default text;
