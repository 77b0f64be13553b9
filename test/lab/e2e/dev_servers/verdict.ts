/** Whether a dev server works as its description says. */
import { isComplete } from "./dev_server.ts";
import type { Fault, Row } from "./matrix.ts";

/** Something that is not as it should be. */
export interface Complaint {
  readonly text: string;
  readonly faults?: readonly Fault[];
}

/** Compares what was seen with the description; empty if they agree. */
export function judge({ server, faults }: Row): readonly Complaint[] {
  const { auto, local, pass, line } = faults;
  const complaints: Complaint[] = [];
  function mustWork(text: string, faults: readonly Fault[] | undefined): void {
    if (faults !== undefined && faults.length > 0) {
      complaints.push({ text, faults });
    }
  }
  if (isComplete(server)) mustWork("It does not work as it is.", auto);
  if (server.worksInLocal) mustWork("It does not work in `local`.", local);
  mustWork("It does not work with its line.", line);
  if (!isComplete(server) && auto?.length === 0) {
    complaints.push({
      text: "It works as it is now: its line and label can go.",
    });
  }
  const worse = auto?.filter(({ what, schemes }) =>
    pass !== undefined &&
    !schemes.every((scheme) =>
      pass.some((fault) =>
        [what, "page"].includes(fault.what) && fault.schemes.includes(scheme)
      )
    )
  );
  mustWork("What works in `pass` does not in `auto`.", worse);
  return complaints;
}
