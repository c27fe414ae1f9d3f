import { SEVERITIES, type Severity } from "./event.ts";

/** Which events are shown: as the address has it. Pure. */
export interface EventFilter {
  /** Empty: any. */
  readonly severities: readonly Severity[];
  /** Empty: any. */
  readonly kind: string;
}

const LONGEST_KIND = 100;

export function filterIn(query: URLSearchParams): EventFilter {
  const asked = query.getAll("severity");
  const kind = query.get("kind") ?? "";
  return {
    severities: SEVERITIES.filter((severity) => asked.includes(severity)),
    kind: kind.length > LONGEST_KIND ? "" : kind,
  };
}

/** What the address says once `severity` is chosen or taken back. */
export function toggled({ severities }: EventFilter, severity: Severity): readonly Severity[] {
  return SEVERITIES.filter((each) => (each === severity) !== severities.includes(each));
}

/** As the API takes it. */
export function filterQuery({ severities, kind }: EventFilter): string {
  const asked = new URLSearchParams(severities.map((severity) => ["severity", severity]));
  if (kind !== "") asked.set("kind", kind);
  return asked.size === 0 ? "" : `&${asked}`;
}
