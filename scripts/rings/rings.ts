/** The three rings of checks: each change passes the gate, each day the night, and each version the release. */
import type { Part, Stage } from "./part.ts";

/** Tests that the gate leaves to the night; CONTRIBUTING.md says of each why it may. */
export const NIGHT_TESTS: readonly string[] = [
  "test/faults",
  "test/conformance/run",
  "test/unit/cache/redis/topologies_test.ts",
];

/** What reads the source, and does not run it. */
export const CHECKS: Stage = [
  { task: ["check:types"], finds: "what does not compile" },
  { task: ["check:lint"], finds: "an import of a higher room, a habit" },
  { task: ["check:fmt"], finds: "what `deno task fmt` would change" },
  { task: ["check:cycles"], finds: "files that import each other" },
  { task: ["check:tests"], finds: "a test that cannot fail, or measures time" },
  { task: ["check:gen"], finds: "a generated file that is not up to date" },
];

const GATE: readonly Stage[] = [
  CHECKS,
  [{
    task: ["test", "--no-check", `--ignore=${NIGHT_TESTS.join(",")}`],
    finds: "what a unit or the whole gateway does wrong",
  }],
  [
    {
      task: ["check:features", "--bare", "--types"],
      finds: "a core that does not compile without features",
    },
    {
      task: ["e2e", "--engine", "chromium", "--short"],
      finds: "what a browser does otherwise than a client of ours",
    },
  ],
  [{
    task: ["attack", "--short"],
    finds: "memory or a core that a flood takes from others",
  }],
];

const NIGHT: readonly Stage[] = [
  [
    { task: ["audit"], finds: "a package with a known vulnerability" },
    {
      task: ["test", "--no-check", ...NIGHT_TESTS],
      finds: "a rare fault of what is around the gateway",
    },
  ],
  ...alone([
    {
      task: ["check:features"],
      finds: "a word or a need of a feature outside its folder",
    },
    {
      task: ["conformance"],
      finds: "a clause of an RFC that a gateway in its own process breaks",
    },
    { task: ["fuzz"], finds: "an input that nobody thought of" },
    {
      task: ["e2e", "--engine", "chromium,firefox,webkit"],
      finds: "what one of three engines does otherwise",
    },
    { task: ["e2e", "--hosted"], finds: "the same in front of hosted Daytona" },
    {
      task: ["e2e", "--dev-servers", "--quick"],
      finds: "a dev server that refuses the gateway",
    },
    { task: ["attack"], finds: "an attack that the short ones do not try" },
    {
      task: ["attack", "--minutes", "20"],
      finds: "what leaks, and what fails only after a while",
    },
    { task: ["drill"], finds: "a part in trouble that costs others" },
    {
      task: ["bench", "--against", "7197136", "--only", "public,private"],
      finds: "a request that became dearer",
    },
  ]),
];

const RELEASE: readonly Stage[] = [
  ...GATE,
  ...NIGHT,
  ...alone([
    { task: ["drill", "--restarts"], finds: "an upgrade that costs a visitor" },
    { task: ["drill", "--redis"], finds: "a store in trouble that does" },
    { task: ["bench", "--growth"], finds: "what grows with its number" },
    { task: ["bench"], finds: "a rate or a capacity below its target" },
  ]),
];

/** By the word that starts it, as in `deno task ok`; `check` is the gate's first stage alone. */
export const RINGS = {
  check: [CHECKS],
  ok: GATE,
  night: NIGHT,
  release: RELEASE,
} as const;

/** One after the other. */
function alone(parts: readonly Part[]): Stage[] {
  return parts.map((part) => [part]);
}
