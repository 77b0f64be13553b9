/** Readers for the files in scripts/deploy/, limited to what these files use. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { type Config, parseConfig } from "../../src/config/config.ts";
import { SECTIONS } from "../../src/modules.ts";

const FOLDER = new URL("../../scripts/deploy/", import.meta.url);

/** The text of a file in scripts/deploy/. */
export async function readDeployFile(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, FOLDER));
}

/** The contents of a Dockerfile, all stages together. */
export interface Dockerfile {
  /** The arguments of all instructions with a name, each on one line. */
  all(instruction: string): readonly string[];
  /** Paths that are copied from the build context to the same path. */
  readonly copied: readonly string[];
  /** The variables of the last stage. */
  readonly env: Readonly<Record<string, string>>;
  /** The command of a container. */
  readonly command: readonly string[];
  /** The command of its health check. */
  readonly healthcheck: readonly string[];
}

/** Reads the Dockerfile. */
export async function readDockerfile(): Promise<Dockerfile> {
  const text = await readDeployFile("Dockerfile");
  const lines = text.replace(/^#.*\n/gm, "").replace(/\\\n */g, "").split("\n");
  const instructions = lines.filter((line) => line !== "").map((line) => {
    const [, name = "", argument = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return { name, argument };
  });
  function all(name: string): string[] {
    return instructions.filter((each) => each.name === name)
      .map(({ argument }) => argument);
  }
  return {
    all,
    copied: all("COPY").filter((argument) => !argument.startsWith("--from"))
      .flatMap((argument) => {
        const paths = argument.split(" ");
        return paths.slice(0, -1);
      }),
    env: assignments(all("ENV").at(-1)?.split(/\s+/) ?? []),
    command: commandIn(all("CMD").at(-1)),
    healthcheck: commandIn(all("HEALTHCHECK").at(-1)),
  };
}

/** Parses the exec form, the only one whose process receives signals. */
function commandIn(argument = ""): string[] {
  return z.array(z.string()).parse(JSON.parse(argument.replace(/^[^[]*/, "")));
}

function assignments(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)];
  }));
}

const composeFile = z.object({
  services: z.object({
    proxy: z.object({
      image: z.string(),
      // Compose does not accept booleans here.
      environment: z.record(z.string(), z.string()),
      stop_grace_period: z.templateLiteral([z.number(), "s"]),
      ports: z.array(z.string()),
      read_only: z.boolean(),
    }),
  }),
});

/** Reads the service that replaces Daytona's proxy, with the file's own variables unset. */
export async function readComposeService(): Promise<
  z.infer<typeof composeFile>["services"]["proxy"]
> {
  const text = await readDeployFile("compose.yaml");
  const unset = text.replace(/\$\{\w+:-([^}]*)\}/g, '"$1"');
  return composeFile.parse(parse(unset)).services.proxy;
}

/** The variables in an env file. */
export interface EnvFile {
  /** The variables that it sets. */
  readonly set: Readonly<Record<string, string>>;
  /** Those that it shows in comments, with values to try. */
  readonly shown: Readonly<Record<string, string>>;
}

/** Reads `porthole.env.example` as Docker does, to which quotes and trailing comments are part of the value. */
export async function readEnvExample(): Promise<EnvFile> {
  const lines = (await readDeployFile("porthole.env.example")).split("\n");
  return {
    set: assignments(lines.filter((line) => /^[^#]/.test(line))),
    shown: assignments(
      lines.filter((line) => /^#[A-Z_]+=/.test(line))
        .map((line) => line.slice(1)),
    ),
  };
}

/** A systemd unit. */
export interface Unit {
  /** The last value of a setting. */
  value(name: string): string;
  /** The variables of `Environment=`. */
  readonly env: Readonly<Record<string, string>>;
  /** All lines with a setting, in their order. */
  readonly lines: readonly string[];
}

/** Reads a unit: that of a single gateway by default. */
export async function readUnit(name = "porthole.service"): Promise<Unit> {
  const text = await readDeployFile(name);
  const lines = text.split("\n").filter((line) => /^\w+=/.test(line));
  const entries = lines.map((
    line,
  ) => [line.replace(/=.*/, ""), line.replace(/^\w+=/, "")]);
  function all(name: string): string[] {
    return entries.flatMap(([key, value = ""]) => key === name ? [value] : []);
  }
  return {
    value: (name) => all(name).at(-1) ?? "",
    env: assignments(all("Environment")),
    lines,
  };
}

/** One of several gateways in a compose file. */
export const composeGateway = z.strictObject({
  image: z.string(),
  pull_policy: z.literal("never"),
  env_file: z.literal("../../porthole.env"),
  // Compose does not accept booleans here.
  environment: z.record(z.string(), z.string()),
  stop_grace_period: z.templateLiteral([z.number(), "s"]),
  healthcheck: z.strictObject({
    test: z.array(z.string()),
    interval: z.string(),
    timeout: z.string(),
    start_period: z.string(),
    retries: z.number(),
  }),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal("ALL")]),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]),
  restart: z.literal("always"),
  depends_on: z.array(z.string()),
});

/** The configuration of such a gateway, where `porthole.env` has what is required and nothing else. */
export function composedConfig(
  { environment }: z.infer<typeof composeGateway>,
): Config {
  const result = parseConfig({
    DAYTONA_API_URL: "https://daytona.example.com/api",
    PROXY_API_KEY: "service-key",
    PROXY_DOMAIN: "preview.example.com",
    ...environment,
  }, SECTIONS);
  assert(result.ok, JSON.stringify(result));
  return result.config;
}
