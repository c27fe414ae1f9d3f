import { Gauge } from "prom-client";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { COMPARED, type Compared } from "../replay/compare.ts";
import { isPriced, type Outcome } from "../replay/outcome.ts";
import type { AnyRegistry } from "./registry.ts";

/** What the newest preview that is done came to. */
export interface PreviewFigures {
  /** When the days that were replayed end. */
  readonly to: number;
  readonly outcomes: Readonly<Record<Compared, Outcome>>;
}

/** Dollars that nobody can tell are absent, and no zero. */
export function addPreview(registry: AnyRegistry, { to, outcomes }: PreviewFigures): void {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const saved = gauge(
    "dumont_agents_preview_saved",
    "Dollars that hibernation saves over the days of the newest preview: by what really happened, the candidate, the policy in force and each preset; absent where no price is known",
    ["of"],
  );
  const interruptions = gauge(
    "dumont_agents_preview_interruptions",
    "How often work would have come while a machine was off, over the same days",
    ["of"],
  );
  for (const of of COMPARED) {
    const outcome = outcomes[of];
    if (isPriced(outcome)) saved.set({ of }, outcome.saved);
    // Of what really happened, nobody knows what work did not come.
    if (of !== "actual") interruptions.set({ of }, outcome.interruptions);
  }
  gauge("dumont_agents_preview_ended_timestamp_seconds", "When the days of that preview end").set(
    to / SECOND_MS,
  );
}
