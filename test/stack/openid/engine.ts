/** The package's provider as the stand-in uses it, without a listener. */
import { configuration, type ConfigurationOptions } from "./configuration.ts";
import {
  type LibraryProvider,
  loadLibrary,
  withoutEnvironment,
} from "./library.ts";

/** A JSON answer. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parts of an engine. */
export interface EngineOptions extends Omit<ConfigurationOptions, "errors"> {
  readonly issuer: string;
  /** Has the last word on every answer with status 200. */
  readonly falsify: (path: string, body: JsonObject) => Promise<JsonObject>;
}

/** Makes a provider; sessions and grants are in the storage, so that another one can take over. */
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
