/** How what stands below the service fails: calls that never arrive, whose answer is lost, or that take long. */
export type Fault = "away" | "forgets" | "slow";

export interface Faults {
  readonly database: Fault | null;
  readonly fleet: Fault | null;
  /** Of all calls, between 0 and 1. */
  readonly share: number;
  readonly seed: number;
}

export function faultsQuery({ database, fleet, share, seed }: Faults): URLSearchParams {
  const fields = { database: database ?? "", fleet: fleet ?? "", share: String(share), seed: String(seed) };
  return new URLSearchParams(fields);
}

export function faultsFrom(query: URLSearchParams): Faults {
  return {
    database: faultFrom(query.get("database")),
    fleet: faultFrom(query.get("fleet")),
    share: Number(query.get("share")),
    seed: Number(query.get("seed")),
  };
}

function faultFrom(text: string | null): Fault | null {
  return text === "away" || text === "forgets" || text === "slow" ? text : null;
}
