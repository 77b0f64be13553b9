/** Kustomize, as a program of its own or as a part of kubectl, on the manifests in scripts/deploy/kubernetes. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { testsThatNeed } from "../support/needs_program.ts";
import { isInstalled } from "../support/programs.ts";
import type { KubernetesObject } from "./kubernetes_schemas.ts";

/** The folder of the manifests. */
export const MANIFESTS = new URL(
  "../../scripts/deploy/kubernetes/",
  import.meta.url,
);

const SCRATCH = new URL("../../data/test/", import.meta.url);
/** From a folder in {@linkcode SCRATCH}. */
const FROM_SCRATCH = "../../../scripts/deploy/kubernetes";

const [PROGRAM, COMMAND] = !await mayRun("kustomize") && await mayRun("kubectl")
  ? ["kubectl", "kustomize"]
  : ["kustomize", "build"];

/** Declares a test that needs it. */
export const kustomizeTest = await testsThatNeed(
  PROGRAM,
  ", which is in Debian's package kustomize",
);

async function mayRun(program: string): Promise<boolean> {
  const run = { name: "run", command: program } as const;
  return (await Deno.permissions.query(run)).state === "granted" &&
    await isInstalled(program);
}

/** What an operator fills in. */
export interface Site {
  readonly secrets: Readonly<Record<string, string>>;
  /** In place of the example's, or beside them. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A site that has filled in what it must. */
export const SITE: Site = {
  secrets: {
    PROXY_API_KEY: "service-key",
    SESSION_SECRETS: "a-secret-of-more-than-thirty-two-characters",
  },
};

/** The objects of a folder with a kustomization. */
export async function build(folder: URL): Promise<KubernetesObject[]> {
  const { code, stdout, stderr } = await new Deno.Command(PROGRAM, {
    args: [COMMAND, folder.pathname],
  }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  return objectsIn(decoder.decode(stdout));
}

/** The objects in a text of YAML. */
export function objectsIn(text: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as KubernetesObject;
  });
}

/** The objects of base, the example's site and components, for a site that has filled in the example. */
export async function render(
  components: readonly string[],
  { secrets, settings = {} }: Site = SITE,
): Promise<KubernetesObject[]> {
  const folder = new URL(`kustomize-${crypto.randomUUID()}/`, SCRATCH);
  const example = new URL("example/site/", MANIFESTS);
  const site = new URL("site/", folder);
  await Deno.mkdir(site, { recursive: true });
  try {
    for await (const { name } of Deno.readDir(example)) {
      await Deno.copyFile(new URL(name, example), new URL(name, site));
    }
    await Deno.writeTextFile(new URL("secrets.env", site), lines(secrets));
    const file = new URL("settings.env", site);
    const others = (await Deno.readTextFile(file)).split("\n")
      .filter((line) => !(line.replace(/=.*/, "") in settings)).join("\n");
    await Deno.writeTextFile(file, `${others}\n${lines(settings)}`);
    const kustomization = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      namespace: "porthole",
      resources: [`${FROM_SCRATCH}/base`, "site"],
      components: components.map((name) =>
        `${FROM_SCRATCH}/components/${name}`
      ),
    };
    await Deno.writeTextFile(
      new URL("kustomization.yaml", folder),
      JSON.stringify(kustomization), // JSON is YAML
    );
    return await build(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** As a file of variables has them. */
function lines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
