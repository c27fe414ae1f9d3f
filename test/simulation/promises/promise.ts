import type { Happening } from "../happenings.ts";

/** What must hold whatever happens: it is told of all that does, and says what breaks it. */
export interface Promised {
  observe(happening: Happening): void;
  /** Once nothing has failed for hours and everything should have come to its end. */
  atRest(): void;
}

/** Notes a violation. */
export type Say = (what: string) => void;
