/** Gateways with names of the operator's file, for tests in both worlds. */
import { BASE } from "../../../support/gateway.ts";
import { type TextFile, textFile } from "../../../support/text_file.ts";
import {
  type StartGateway,
  type StartLoginGateway,
  testInBothWorlds,
  testLoginsInBothWorlds,
} from "../../../support/worlds.ts";

/** Names of port 8000 of `demo`, one of them below no base domain, and one of its port 5173. */
export const SHOP = `shop.${BASE}`;
export const STORE = `store.${BASE}`;
export const CUSTOM = "app.customer.example";
export const PANEL = `panel.${BASE}`;

/** Names of ports 8000 and 3000 of `locked`, which is private. */
export const OTHER = `other.${BASE}`;
export const SAFE = `safe.${BASE}`;

/** What each name leads to, as the file says. */
type Names = Readonly<Record<string, { sandbox: string; port: number }>>;

export const NAMES: Names = {
  [SHOP]: { sandbox: "demo", port: 8000 },
  [STORE]: { sandbox: "demo", port: 8000 },
  [CUSTOM]: { sandbox: "demo", port: 8000 },
  [PANEL]: { sandbox: "demo", port: 5173 },
  [OTHER]: { sandbox: "locked", port: 8000 },
  [SAFE]: { sandbox: "locked", port: 3000 },
};

/** The file of a gateway, which looks at it every 5 s. */
export interface NamesFile {
  /** Has these names lead elsewhere, and the others not. */
  point(names: Names): Promise<void>;
  /** Has there be these names only. */
  replace(names: Names): Promise<void>;
}

/** Time between two looks of a gateway at its file, ms. */
export const LOOK_MS = 5000;

function namesFileOf(file: TextFile): NamesFile {
  const replace = (names: Names) => file.write(JSON.stringify(names));
  return { replace, point: (names) => replace({ ...NAMES, ...names }) };
}

function environmentOf({ path }: TextFile): Record<string, string> {
  return { NAMES: "operator", NAMES_FILE: path };
}

/** Defines a test for each world, whose gateways have these names. */
export function testWithNames(
  name: string,
  body: (start: StartGateway, file: NamesFile) => Promise<void>,
): void {
  testInBothWorlds(name, async (startGateway) => {
    await using file = await textFile(JSON.stringify(NAMES));
    const start: StartGateway = (environment, options) =>
      startGateway({ ...environmentOf(file), ...environment }, options);
    await body(start, namesFileOf(file));
  });
}

/** The same with logins. */
export function testLoginsWithNames(
  name: string,
  body: (start: StartLoginGateway, file: NamesFile) => Promise<void>,
): void {
  testLoginsInBothWorlds(name, async (startLoginGateway) => {
    await using file = await textFile(JSON.stringify(NAMES));
    const start: StartLoginGateway = (environment, options) =>
      startLoginGateway({ ...environmentOf(file), ...environment }, options);
    await body(start, namesFileOf(file));
  });
}
