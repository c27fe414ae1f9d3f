import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { instanceAddress } from "../address.ts";
import { errorText } from "../parts/notice.tsx";
import type { Outcome } from "./bulk.ts";
import type { FleetWords } from "./words/english.ts";
import { fleetWords } from "./words.ts";

/** What became of one of the selected. `impossible`: it was not asked, since it could not be done as it stands. */
export interface Told {
  readonly instance: ShownView;
  readonly outcome: Outcome | { readonly end: "impossible" };
}

export interface Running {
  readonly what: keyof FleetWords["bulk"]["done"];
  readonly all: number;
  readonly told: readonly Told[];
  readonly stop: AbortController;
}

/** How far it has come, and what happened to each: first to those to which it could not be done. */
export function BulkOutcome({
  running: { what, all, told, stop },
  onClose,
}: {
  running: Running;
  onClose: () => void;
}) {
  const { bulk } = fleetWords.value;
  const count = (...ends: readonly Told["outcome"]["end"][]) =>
    told.filter(({ outcome }) => ends.includes(outcome.end)).length;
  const refused = count("refused");
  const skipped = count("impossible", "stopped");
  const isBusy = told.length < all;
  return (
    <div class="bulk-outcome">
      <p>
        <span role="status">
          {isBusy
            ? bulk.progress(told.length, all)
            : bulk.outcome(bulk.done[what], count("done"), refused, skipped)}
        </span>{" "}
        {isBusy ? (
          <button type="button" onClick={() => stop.abort()}>
            {bulk.stop}
          </button>
        ) : (
          <button type="button" onClick={onClose}>
            {bulk.close}
          </button>
        )}
      </p>
      {!isBusy && (
        <details open={refused + skipped > 0}>
          <summary>{bulk.each}</summary>
          <ul>
            {[...told].sort(troubleFirst).map(({ instance, outcome }) => (
              <li key={instance.instance_id} class={outcome.end}>
                <a href={instanceAddress(instance.instance_id)}>{instance.name}</a> {textOf(outcome, what)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

const ORDER: Readonly<Record<Told["outcome"]["end"], number>> = {
  refused: 0,
  impossible: 1,
  stopped: 2,
  done: 3,
};

function troubleFirst(one: Told, other: Told): number {
  return ORDER[one.outcome.end] - ORDER[other.outcome.end];
}

function textOf(outcome: Told["outcome"], what: Running["what"]): string {
  const { bulk } = fleetWords.value;
  switch (outcome.end) {
    case "done":
      return bulk.done[what];
    case "refused":
      return errorText(outcome.error);
    case "impossible":
      return bulk.notPossible;
    case "stopped":
      return bulk.stopped;
  }
}
