/** What stored values look like. */
import { z } from "zod";

/** How values of a kind are stored: whoever else writes there, one of another form must not hide the others. */
export interface Form<T> {
  readonly schema: z.ZodType<T>;
  /** What is there as long as nothing is stored. */
  readonly none: T;
}

/** An object with these members. What a gateway of another version has added stays there, and is none of ours. */
export function storedObject<S extends z.ZodRawShape>(
  shape: S,
): z.ZodType<Readonly<z.output<z.ZodObject<S>>>> {
  return z.looseObject(shape) as unknown as z.ZodObject<S>;
}
