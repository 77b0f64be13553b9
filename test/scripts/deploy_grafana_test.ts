/** The dashboard by the types that Grafana's own libraries have for its files. No Grafana draws it. */
import assert from "node:assert/strict";
import { readDeployFile } from "./deploy_files.ts";
import { typeErrors } from "./type_errors.ts";

interface Panel {
  readonly type: string;
  readonly options?: object;
}

interface Dashboard {
  readonly panels: readonly Panel[];
}

const SDK = "@grafana/grafana-foundation-sdk";

/**
 * The types of the file: those of the library, with plain values in place of its enumerations, and with the options,
 * the fields and the queries of each kind of panel, which it has in modules of their own.
 */
const TYPES = `
import type * as dashboard from "${SDK}/dashboard";
import type * as prometheus from "${SDK}/prometheus";
import type * as bargauge from "${SDK}/bargauge";
import type * as stat from "${SDK}/stat";
import type * as timeseries from "${SDK}/timeseries";

type Plain<T> = 0 extends (1 & T) ? T
  : T extends string ? \`\${T}\`
  : T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends readonly (infer U)[] ? Plain<U>[]
  : T extends object
    ? { [K in keyof T as K extends \`_\${string}\` ? never : K]: Plain<T[K]> }
  : T;
type Shown<Type, Options, Custom> =
  & Omit<Plain<dashboard.Panel>, "type" | "options" | "targets" | "fieldConfig">
  & {
    type: Type;
    options: Plain<Options>;
    targets: Plain<prometheus.Dataquery>[];
    fieldConfig: {
      defaults: Omit<Plain<dashboard.FieldConfig>, "custom"> & {
        custom?: Partial<Plain<Custom>>;
      };
      overrides: Plain<dashboard.FieldConfigSource["overrides"]>;
    };
  };
type Kinds = {
  row: Plain<dashboard.RowPanel>;
  bargauge: Shown<"bargauge", bargauge.Options, never>;
  stat: Shown<"stat", stat.Options, never>;
  timeseries: Shown<"timeseries", timeseries.Options, timeseries.FieldConfig>;
};
type Rest = Omit<Plain<dashboard.Dashboard>, "panels" | "annotations">;
`;

/** What the types have against a dashboard: as literals, its parts may have no member that is not described. */
async function objections({ panels, ...rest }: Dashboard): Promise<string> {
  return await typeErrors([
    TYPES,
    `export const rest: Rest = ${JSON.stringify(rest)};`,
    ...panels.map((panel, nth) =>
      `export const panel${nth}: Kinds["${panel.type}"] = ${
        JSON.stringify(panel)
      };`
    ),
  ].join("\n"));
}

async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readDeployFile("grafana-dashboard.json"));
}

Deno.test("the dashboard is what Grafana's types describe", async () => {
  assert.equal(await objections(await readDashboard()), "");
});

Deno.test("Grafana's types find a misspelt member, a value that is none of those allowed, and a missing one", async () => {
  const { panels, ...rest } = await readDashboard();
  const stat = panels.find(({ type }) => type === "stat") ?? assert.fail();
  const { options } = stat;
  const wrong: Dashboard = {
    ...rest,
    panels: [
      { ...stat, options: { ...options, graphMod: "none" } },
      { ...stat, options: { ...options, graphMode: "pie" } },
      { type: "stat" },
    ],
  };
  const found = await objections(wrong);
  assert.match(found, /'"?graphMod"?' does not exist/);
  assert.match(found, /'"pie"' is not assignable/);
  assert.match(found, /missing the following properties/);
});
