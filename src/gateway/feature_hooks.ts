/**
 * The hooks of which the core knows one, made of those that features have: where all can count they do, and where two
 * would be in each other's way the gateway does not start.
 */
import type { Feature } from "./feature.ts";
import type { ExchangeObserver } from "./observer.ts";
import type { ExchangeServices } from "./received_request.ts";

/** A feature that is switched on, by the name of its module. */
export type NamedFeature = readonly [name: string, feature: Feature];

type MetricsPages = NonNullable<Feature["metricsPages"]>;

/** One of each, if any feature has it. */
export interface FeatureHooks {
  readonly observer: ExchangeObserver | undefined;
  readonly forbid: ExchangeServices["forbid"];
  readonly ownersViewOf: ExchangeServices["ownersViewOf"];
  readonly brand: Feature["brand"];
  readonly browserSessions: Feature["browserSessions"];
  readonly anyLogins: Feature["anyLogins"];
  readonly metricsPages: MetricsPages;
}

/** @throws {Error} for two features that have a hook, or a page, of which there can be one */
export function foldHooks(features: readonly NamedFeature[]): FeatureHooks {
  return {
    observer: observerOf(features.flatMap(([, one]) => one.observer ?? [])),
    forbid: forbidOf(features.flatMap(([, one]) => one.forbid ?? [])),
    ownersViewOf: soleHook(features, "ownersViewOf"),
    brand: soleHook(features, "brand"),
    browserSessions: soleHook(features, "browserSessions"),
    anyLogins: soleHook(features, "anyLogins"),
    metricsPages: pagesOf(features),
  };
}

/** The hook of the one feature that has it. */
function soleHook<Key extends keyof Feature>(
  features: readonly NamedFeature[],
  key: Key,
): Feature[Key] | undefined {
  const having = features.filter(([, one]) => one[key] !== undefined);
  const [[name, only] = [], [other] = []] = having;
  if (other !== undefined) throw conflictOf(`${name}`, other, key);
  return only?.[key];
}

function pagesOf(features: readonly NamedFeature[]): MetricsPages {
  const owners = new Map<string, string>();
  const all: Record<string, MetricsPages[string]> = {};
  for (const [name, { metricsPages = {} }] of features) {
    for (const [path, page] of Object.entries(metricsPages)) {
      const other = owners.get(path);
      if (other !== undefined) throw conflictOf(other, name, path);
      owners.set(path, name);
      all[path] = page;
    }
  }
  return all;
}

function conflictOf(name: string, other: string, what: string): Error {
  return new Error(
    `Cannot start with the features ${name} and ${other}: both have ${what}, of which there can be one`,
  );
}

/** Forbids what any of them does: the failure is that of the first. */
function forbidOf(
  all: readonly NonNullable<Feature["forbid"]>[],
): FeatureHooks["forbid"] {
  if (all.length === 0) return undefined;
  return (served) => {
    for (const forbid of all) forbid(served);
  };
}

/** Tells each of them of what it wants. */
function observerOf(
  all: readonly ExchangeObserver[],
): ExchangeObserver | undefined {
  if (all.length < 2) return all[0];
  return {
    wants: (progress) => all.some((one) => one.wants(progress)),
    see(sandboxId, exchange, facts, progress) {
      for (const one of all) {
        if (one.wants(progress)) one.see(sandboxId, exchange, facts, progress);
      }
    },
  };
}
