/** The part of the npm package `oidc-provider` that is used here; it has no types. */
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";

/** The context of the package's middleware. */
export interface ProviderContext {
  readonly path: string;
  readonly status: number;
  body: unknown;
}

/** The result of an interaction: a login, consent, or an OAuth error. */
export type InteractionResult =
  | { readonly login: { readonly accountId: string } }
  | { readonly consent: Record<string, never> }
  | { readonly error: string; readonly error_description: string };

/** A provider, without a listener. */
export interface LibraryProvider {
  /** Whether Koa does not print errors. */
  silent: boolean;
  use(
    middleware: (
      context: ProviderContext,
      next: () => Promise<void>,
    ) => Promise<void>,
  ): void;
  callback(): (
    request: IncomingMessage,
    response: ServerResponse,
  ) => Promise<void>;
  /** Rejects if the request's cookies do not belong to an interaction. */
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ readonly prompt: { readonly name: "login" | "consent" } }>;
  interactionFinished(
    request: IncomingMessage,
    response: ServerResponse,
    result: InteractionResult,
  ): Promise<void>;
}

/** The package's exports. */
export interface Library {
  readonly Provider: new (
    issuer: string,
    configuration: Readonly<Record<string, unknown>>,
  ) => LibraryProvider;
  readonly errors: {
    readonly InvalidTarget: new (description: string) => Error;
  };
}

let loaded: Promise<Library> | undefined;

/** Loads the package once, and on demand: it takes a tenth of a second, which tests without a login need not spend. */
export function loadLibrary(): Promise<Library> {
  return loaded ??= importQuietly();
}

async function importQuietly(): Promise<Library> {
  const { warn } = console;
  using _warn = replace(console, "warn", (...data) => {
    // The package warns that it is made for Node.
    if (!String(data[0]).startsWith("oidc-provider ")) warn(...data);
  });
  using _env = replace(process, "env", {});
  return await import("oidc-provider") as Library;
}

/** Runs `create` with an empty `process.env`, of which the package and its dependencies read more than they need. */
export function withoutEnvironment<T>(create: () => T): T {
  using _env = replace(process, "env", {});
  return create();
}

function replace<T extends object, K extends keyof T>(
  object: T,
  key: K,
  value: T[K],
): Disposable {
  const original = object[key];
  object[key] = value;
  return {
    [Symbol.dispose](): void {
      object[key] = original;
    },
  };
}
