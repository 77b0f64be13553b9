/** Kinds of records for tests that are not about what is kept. */
import { z } from "zod";
import {
  type RecordForm,
  recordForm,
} from "../../src/records/stored_record.ts";

/** A kind that keeps anything. */
export function anyForm(name: string): RecordForm<unknown> {
  return recordForm(name, z.unknown());
}
