import { Gauge } from "prom-client";
import type { NewestOutcomes } from "../fleet/previews.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { COMPARED } from "../replay/compare.ts";
import { isPriced } from "../replay/outcome.ts";
import type { AnyRegistry } from "./registry.ts";

/** Dollars that nobody can tell are absent, and no zero. */
export function addPreview(registry: AnyRegistry, { to, outcomes }: NewestOutcomes): void {
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
