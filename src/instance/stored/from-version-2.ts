import type { Fields } from "./fields.ts";

/** Version 2 to 3: failures of the delivery are counted. Nobody counted them before, so whatever waits is tried at once. */
export function fromVersion2(row: Fields): Fields {
  return { ...row, delivery: { attempts: { targets: [], effects: [] }, held: 0, parked: null } };
}
