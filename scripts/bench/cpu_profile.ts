/** What a CPU profile of V8 says: which functions the time went to, and for whose sake. */

/** A profile as `Profiler.stop` of the DevTools protocol returns it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The id of the node that was running, sample by sample. */
  readonly samples: readonly number[];
  /** Microseconds between the samples. */
  readonly timeDeltas: readonly number[];
}

/** One position in the tree of calls. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
  };
  readonly children?: readonly number[];
}

/** A part of the time. */
export interface Share {
  readonly name: string;
  /** Of a whole of 1. */
  readonly share: number;
}

/** The busy time, divided in three ways; each is sorted, the largest share first. */
export interface ProfileSummary {
  /** Layers of the gateway, the platform's JavaScript, its native operations, the garbage collector. */
  readonly categories: readonly Share[];
  /** Functions by the time in themselves. */
  readonly functions: readonly Share[];
  /** The gateway's functions by the time in themselves and in what they call that is not the gateway's. */
  readonly own: readonly Share[];
}

interface Frame {
  readonly name: string;
  readonly category: string;
  readonly isOwn: boolean;
}

const IDLE = "(idle)";

/** While there is an inspector, the platform tells it of every fetch and WebSocket message, and of nothing otherwise. */
const INSPECTOR = /inspector/;

/** Divides the time in which the processor was not idle, without what only the inspector causes. */
export function summarizeProfile(profile: CpuProfile): ProfileSummary {
  const frames = new Map<number, Frame>();
  const parents = new Map<number, number>();
  for (const node of profile.nodes) {
    frames.set(node.id, frameOf(node));
    for (const child of node.children ?? []) parents.set(child, node.id);
  }
  /** The nearest frame that is such, outwards. */
  function nearest(
    id: number,
    isSuch: (frame: Frame) => boolean,
  ): Frame | undefined {
    for (let at: number | undefined = id; at !== undefined;) {
      const frame = frames.get(at);
      if (frame !== undefined && isSuch(frame)) return frame;
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
    if (nearest(id, ({ name }) => INSPECTOR.test(name)) !== undefined) return;
    busy += time;
    add(categories, frame.category, time);
    add(functions, frame.name, time);
    const caller = nearest(id, ({ isOwn }) => isOwn);
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
  // Functions without an address are native: operations of the runtime, and V8's own, in parentheses.
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
