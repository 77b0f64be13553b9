/** Summaries of CPU profiles of V8: which functions used the time, and on whose behalf. */

/** A profile as `Profiler.stop` of the DevTools protocol returns it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The id of the node that was running, for each sample. */
  readonly samples: readonly number[];
  /** Microseconds between the samples. */
  readonly timeDeltas: readonly number[];
}

/** A node of the call tree. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
  };
  readonly children?: readonly number[];
}

/** A share of the time. */
export interface Share {
  readonly name: string;
  /** From 0 to 1. */
  readonly share: number;
}

/** Three breakdowns of the busy time, each sorted by share in descending order. */
export interface ProfileSummary {
  /** By layer of the gateway, the platform's JavaScript, its native operations, and the garbage collector. */
  readonly categories: readonly Share[];
  /** By function, self time. */
  readonly functions: readonly Share[];
  /** By the gateway's functions: their self time, and the time in code outside the gateway that they call. */
  readonly own: readonly Share[];
}

interface Frame {
  readonly name: string;
  readonly category: string;
  readonly isOwn: boolean;
}

const IDLE = "(idle)";

/**
 * Functions that run only while an inspector is attached: the platform reports each fetch and WebSocket message to it.
 */
const INSPECTOR = /inspector/;

/** Breaks down the time in which the processor was busy, without the work that only the inspector causes. */
export function summarizeProfile(profile: CpuProfile): ProfileSummary {
  const frames = new Map<number, Frame>();
  const parents = new Map<number, number>();
  for (const node of profile.nodes) {
    frames.set(node.id, frameOf(node));
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  /** The innermost frame of the call stack that matches. */
  function innermost(
    id: number,
    matches: (frame: Frame) => boolean,
  ): Frame | undefined {
    for (let at: number | undefined = id; at !== undefined;) {
      const frame = frames.get(at);
      if (frame !== undefined && matches(frame)) return frame;
      at = parents.get(at);
    }
    return undefined;
  }

  const categories = new Map<string, number>();
  const functions = new Map<string, number>();
  const own = new Map<string, number>();
  let busy = 0;
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id);
    const time = profile.timeDeltas[index] ?? 0;
    if (frame === undefined || frame.name === IDLE) return;
    if (innermost(id, ({ name }) => INSPECTOR.test(name)) !== undefined) return;
    busy += time;
    add(categories, frame.category, time);
    add(functions, frame.name, time);
    const caller = innermost(id, ({ isOwn }) => isOwn);
    add(own, caller?.name ?? `(none) ${frame.category}`, time);
  });
  return {
    categories: shares(categories, busy),
    functions: shares(functions, busy),
    own: shares(own, busy),
  };
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}

function shares(times: ReadonlyMap<string, number>, whole: number): Share[] {
  return [...times]
    .map(([name, time]) => ({ name, share: time / whole }))
    .sort((a, b) => b.share - a.share);
}

function frameOf({ callFrame: { functionName, url } }: ProfileNode): Frame {
  const own = /\/(src\/(?:.*\/)?[\w.]+)$/.exec(url)?.[1];
  if (own !== undefined && !url.includes("/npm/")) {
    const layer = own.split("/").slice(0, 2).join("/");
    const name = `${functionName || "(anonymous)"} ${own}`;
    return { name, category: layer, isOwn: true };
  }
  // Functions without a URL are native: operations of the runtime, and V8's own, whose names are in parentheses.
  if (functionName.startsWith("op_")) {
    return { name: functionName, category: "operations", isOwn: false };
  }
  const category = url.startsWith("ext:")
    ? "platform JavaScript"
    : url === ""
    ? functionName || "(native)"
    : "packages";
  return {
    name: `${functionName || "(anonymous)"} ${
      url.replace(/^.*\/npm\/[^/]*\//, "")
    }`
      .trim(),
    category,
    isOwn: false,
  };
}
