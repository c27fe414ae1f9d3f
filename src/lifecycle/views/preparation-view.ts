import { preparationOf } from "../model/phase.ts";
import type { EndedPreparation, PreparationCause, PreparationHeard } from "../model/preparation.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";

/** How a preparation is shown: the stage before a hibernation, in which the hooks on the machine run. */

export interface PreparationView {
  readonly preparation_id: string;
  readonly because: PreparationCause;
  readonly began_at: string;
  /** It is hibernated then at the latest. */
  readonly limit_at: string;
  /** `waiting`: the machine has not said yet that its hooks run. */
  readonly state: "waiting" | PreparationHeard["state"];
  /** For how long the hooks have run, by the machine's word; null while it has said nothing. */
  readonly seconds: number | null;
  /** The newest line of what they print. */
  readonly line: string | null;
}

interface EndedView extends Omit<PreparationView, "limit_at" | "state"> {
  readonly ended_at: string;
  readonly outcome: EndedPreparation["outcome"];
}

interface WithLog {
  /** The last of what the hooks have printed; null where the machine has not sent it. */
  readonly log: string | null;
}

/** The preparation under way and the last one, each with its log. */
export interface PreparationsView {
  readonly current: (PreparationView & WithLog) | null;
  readonly last: (EndedView & WithLog) | null;
}

/** The preparation under way; null where there is none. */
export function preparationView({ phase }: InstanceState): PreparationView | null {
  const preparation = preparationOf(phase);
  if (preparation === null) return null;
  const { id, beganAt, limitAt, order, heard } = preparation;
  return {
    preparation_id: id,
    because: order.because,
    began_at: toIso(beganAt),
    limit_at: toIso(limitAt),
    state: heard?.state ?? "waiting",
    seconds: heard?.seconds ?? null,
    line: heard?.line ?? null,
  };
}

export function preparationsView(state: InstanceState): PreparationsView {
  const current = preparationView(state);
  const { lastPreparation: last } = state;
  return {
    current: current === null ? null : { ...current, log: preparationOf(state.phase)?.heard?.log ?? null },
    last:
      last === undefined
        ? null
        : {
            preparation_id: last.id,
            because: last.because,
            began_at: toIso(last.beganAt),
            ended_at: toIso(last.endedAt),
            outcome: last.outcome,
            seconds: last.seconds,
            line: last.line,
            log: last.log,
          },
  };
}
