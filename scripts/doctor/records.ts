/** Whether what members have granted is kept. */
import { z } from "zod";
import type { StoreFailure } from "../../src/cache/store.ts";
import type { Config } from "../../src/config/config.ts";
import { describeError } from "../../src/lib/describe_error.ts";
import { openRecords } from "../../src/records/open_records.ts";
import { recordForm } from "../../src/records/stored_record.ts";
import { FEATURES } from "../../src/modules.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { World } from "./world.ts";

const { ok, warning, failed } = findingsOf("records");

/** The kind of the record that is written and deleted, and how long it is kept if that fails, ms. */
const PROBE = { form: recordForm("doctor", z.null()), ttlMs: 60_000 };

/** True if a feature that is switched on needs records. */
export function needsRecords(config: Config): boolean {
  return FEATURES.some((feature) => feature.needsRecords?.(config));
}

/** Writes, reads and deletes a record, and asks the database whether it may lose some. */
export async function checkRecords(
  config: Pick<Config, "cache" | "records">,
  { now }: Pick<World, "now">,
): Promise<Finding> {
  const failures: StoreFailure[] = [];
  const onFailure = (failure: StoreFailure) => void failures.push(failure);
  const records = openRecords(config, { now, onFailure });
  const hint =
    "Set RECORDS_URL to a database that keeps what it has: kv:, or a Redis with noeviction and AOF.";
  if (!records.isOn) {
    return warning("None are kept: what needs them is off.", hint);
  }
  try {
    const id = crypto.randomUUID();
    const createdAt = now();
    const expiresAt = createdAt + PROBE.ttlMs;
    const times = { createdAt, expiresAt };
    const probe = { id, sandboxId: id, organizationId: null, ...times };
    await records.put(PROBE.form, { ...probe, data: null }, "absent");
    const isDeleted = await records.delete(PROBE.form, id);
    if (!isDeleted) return failed("A record was lost at once.", hint);
    const doubts = await records.doubts();
    return doubts.length === 0
      ? ok("One was written and deleted.")
      : warning(`They may be lost: ${doubts.join("; ")}.`, hint);
  } catch (error) {
    const cause = failures[0]?.cause ?? error;
    const reason = describeError(cause).replace(/\.$/, "");
    return failed(
      `Their database does not work: ${reason}.`,
      "Check RECORDS_URL, or CACHE_URL.",
    );
  } finally {
    records.close();
  }
}
