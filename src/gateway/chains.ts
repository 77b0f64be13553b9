/**
 * The six chains, made once of the features that are switched on: what nobody joins costs nothing. Where all can count
 * they do, and where two would be in each other's way the gateway does not start.
 */
import type { NameSource } from "../address/known_names.ts";
import type { GrantSource } from "../auth/grants.ts";
import type { ControlRoutes } from "../control/app.ts";
import type { GatewayError } from "../errors.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { Served } from "../proxy/stream_handle.ts";
import type {
  AnswerStages,
  ControlPart,
  Feature,
  Life,
  MetricsPages,
  SandboxPage,
  Shape,
} from "./feature.ts";
import type { ExchangeObserver } from "./observer.ts";

/** A feature that is switched on, by the name of its module. */
export type NamedFeature = readonly [name: string, feature: Feature];

/** Who joins at one stage, in the order in which they are asked. */
type Stage<Stages, Key extends keyof Stages> = readonly Required<
  Pick<Stages, Key>
>[];

export interface Chains {
  readonly resolve: readonly NameSource[];
  readonly judge: readonly GrantSource[];
  readonly answer: {
    readonly onBase: Stage<AnswerStages, "onBase">;
    readonly onOwnPath: Stage<AnswerStages, "onOwnPath">;
    readonly ownParameters: readonly string[];
    readonly arrived: Stage<AnswerStages, "arrived">;
    readonly admitted: Stage<AnswerStages, "admitted">;
    readonly failed: Stage<AnswerStages, "failed">;
  };
  readonly shape: {
    readonly request: Stage<Shape, "request">;
    readonly response: Stage<Shape, "response">;
  };
  readonly guard: ((served: Served) => GatewayError | undefined) | undefined;
  /** Whoever sees exchanges under way; undefined if nobody does. */
  readonly observer: ExchangeObserver | undefined;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly control:
    & Omit<
      ControlPart,
      "routes" | "sandboxPage" | "metricsPages"
    >
    & {
      readonly routes: readonly ControlRoutes[];
      readonly sandboxPages: readonly SandboxPage[];
      readonly metricsPages: MetricsPages;
    };
  readonly life: readonly Life[];
}

/** @throws {Error} for two features that have a page, a parameter or a part of which there can be one */
export function chainsOf(features: readonly NamedFeature[]): Chains {
  const all = features.map(([, feature]) => feature);
  const answers = all.map(({ answer = {} }) => answer);
  const shapes = all.map(({ shape = {} }) => shape);
  const watches = all.map(({ watch = {} }) => watch);
  const recording = stage(watches, "record");
  checkDoubled(features);
  return {
    resolve: all.flatMap(({ resolve }) => resolve ?? []),
    judge: all.flatMap(({ judge }) => judge ?? []),
    answer: {
      onBase: stage(answers, "onBase"),
      onOwnPath: stage(answers, "onOwnPath"),
      ownParameters: answers.flatMap(({ ownParameter }) => ownParameter ?? []),
      arrived: stage(answers, "arrived"),
      admitted: stage(answers, "admitted"),
      failed: stage(answers, "failed"),
    },
    shape: {
      request: stage(shapes, "request"),
      response: stage(shapes, "response"),
    },
    guard: guardOf(all.flatMap(({ guard }) => guard ?? [])),
    observer: observerOf(watches.flatMap(({ exchanges }) => exchanges ?? [])),
    onRecord(record) {
      for (const watch of recording) watch.record(record);
    },
    control: controlOf(all.map(({ control = {} }) => control)),
    life: all.flatMap(({ life }) => life ?? []),
  };
}

function stage<Stages, Key extends keyof Stages>(
  parts: readonly Stages[],
  key: Key,
): Stage<Stages, Key> {
  const joining = parts.filter((part) => part[key] !== undefined);
  return joining as unknown as Stage<Stages, Key>;
}

function controlOf(parts: readonly ControlPart[]): Chains["control"] {
  const { routes: _, sandboxPage: __, ...singles } = Object.assign(
    {},
    ...parts,
  ) as ControlPart;
  return {
    ...singles,
    routes: parts.flatMap(({ routes }) => routes ?? []),
    sandboxPages: parts.flatMap(({ sandboxPage }) => sandboxPage ?? []),
    metricsPages: Object.assign(
      {},
      ...parts.map(({ metricsPages }) => metricsPages),
    ),
  };
}

/** Throws for what two features have, and of which there can be one: the second would silently have none. */
function checkDoubled(features: readonly NamedFeature[]): void {
  const owners = new Map<string, string>();
  for (const [name, feature] of features) {
    for (const what of singlesOf(feature)) {
      const other = owners.get(what);
      if (other !== undefined) {
        throw new Error(
          `Cannot start with the features ${other} and ${name}: both have ${what}, of which there can be one`,
        );
      }
      owners.set(what, name);
    }
  }
}

function singlesOf({ answer, control = {} }: Feature): string[] {
  const { routes: _, sandboxPage, metricsPages = {}, ...singles } = control;
  return [
    ...Object.entries(singles).flatMap(([key, value]) => value ? [key] : []),
    ...Object.keys(metricsPages),
    ...sandboxPage ? [sandboxPage.url] : [],
    ...answer?.ownParameter ? [answer.ownParameter] : [],
  ];
}

/** The failure of the first that has one. */
function guardOf(
  all: readonly NonNullable<Feature["guard"]>[],
): Chains["guard"] {
  if (all.length < 2) return all[0];
  return (served) => {
    for (const guard of all) {
      const failure = guard(served);
      if (failure !== undefined) return failure;
    }
    return undefined;
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

/** The first answer that a stage has; undefined at once if none could have any. */
export function firstAnswer<Ask>(
  stages: readonly Ask[],
  ask: (stage: Ask) => Promise<Response | undefined> | undefined,
): Promise<Response | undefined> | undefined {
  let count = 0;
  for (const one of stages) {
    count++;
    const asked = ask(one);
    if (asked === undefined) continue;
    const others = stages.slice(count);
    return asked.then((answer) => answer ?? firstAnswer(others, ask));
  }
  return undefined;
}
