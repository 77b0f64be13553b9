/** The parts that embeds are made and opened by, for tests of each. */
import { GrantCodes } from "../../../../src/auth/grant_codes.ts";
import { UsedCodes } from "../../../../src/auth/used_codes.ts";
import {
  EMBED_MARK,
  EmbedCodes,
} from "../../../../src/features/embeds/embed_codes.ts";
import { createSealer } from "../../../../src/lib/seal.ts";

/** An embed of port 3000 of `box`, as codes name it. */
export const EMBED = {
  id: "AAECAwQFBgcICQoLDA0ODw",
  sandboxId: "box",
  port: 3000,
  ancestors: ["https://builder.example"],
  authority: "preview.test:8443",
};

// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function setUpCodes() {
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const sealerFor = (purpose: string) =>
    createSealer({ secrets: ["secret"], purpose, now });
  const codes = new EmbedCodes({
    codes: new GrantCodes({
      mark: EMBED_MARK,
      sealer: sealerFor("embed-code"),
      usedCodes: new UsedCodes(null, { kind: "embed-code", maxEntries: 10 }),
      now,
    }),
    stateSealer: sealerFor("embed-state"),
    scheme: "https",
  });
  /** The links of the embed, which ends in ten minutes. */
  async function links(differences: Partial<typeof EMBED> = {}) {
    const expiresAt = clock.now + 600_000;
    const all = { ...EMBED, expiresAt, ...differences };
    const { url, ...rest } = await codes.linksTo(all);
    return { ...rest, url, code: new URL(url).hash.slice(1) };
  }
  return { clock, codes, links };
}
