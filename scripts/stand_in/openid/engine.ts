/** The package's provider, configured and without a listener. */
import { configuration, type ConfigurationOptions } from "./configuration.ts";
import {
  type LibraryProvider,
  loadLibrary,
  withoutEnvironment,
} from "./library.ts";

/** A JSON response body. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Dependencies of an engine. */
export interface EngineOptions extends Omit<ConfigurationOptions, "errors"> {
  readonly issuer: string;
  /** Rewrites the body of every response with status 200. */
  readonly falsify: (path: string, body: JsonObject) => Promise<JsonObject>;
}

/** Creates a provider; sessions and grants are in the storage, so that another provider can take over. */
export async function createEngine(
  { issuer, falsify, ...options }: EngineOptions,
): Promise<LibraryProvider> {
  const { Provider, errors } = await loadLibrary();
  const engine = withoutEnvironment(() =>
    new Provider(issuer, configuration({ ...options, errors }))
  );
  engine.silent = true;
  engine.use(async (context, next) => {
    await next();
    if (context.status === 200) {
      context.body = await falsify(context.path, context.body as JsonObject);
    }
  });
  return engine;
}
