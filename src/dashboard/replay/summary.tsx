import { differenceText, valueText } from "./amounts.ts";
import type { Figures } from "./answers.ts";
import { differenceOf, figureOf, type Measure, resultOf, unitOf } from "./comparing.ts";
import type { TrialState } from "./trial.ts";
import { progressText } from "./trying-line.tsx";
import { replayWords } from "./words.ts";

const MEASURES = ["saved", "wasted", "hibernations", "interruptions"] as const satisfies Measure[];

/** What the numbers would have done, in short: it stays in view while they are changed. */
export function Summary({ state }: { state: TrialState }) {
  const { shown, trying } = state;
  const candidate = resultOf(shown?.results ?? [], "candidate");
  const { title, lastDays, details, appearsHere } = replayWords.value;
  if (shown === null && trying.is === "at_rest") {
    return (
      <aside class="replay-summary empty" aria-label={title}>
        <p>
          <b>{title}</b>
        </p>
        <p class="faint">{appearsHere}</p>
      </aside>
    );
  }
  const goThere = () => document.getElementById("replay")?.scrollIntoView({ block: "start" });
  return (
    <aside class="replay-summary" aria-label={title}>
      <p>
        <b>{shown === null ? title : lastDays(shown.days)}</b>{" "}
        <button type="button" class="link" onClick={goThere}>
          {details}
        </button>
      </p>
      {shown !== null && candidate !== null && (
        <SummaryFigures
          candidate={candidate}
          actual={resultOf(shown.results, "actual")}
          isStale={state.of === "before"}
        />
      )}
      <p class="faint" role="status">
        {progressText(state)}
      </p>
    </aside>
  );
}

function SummaryFigures(props: { candidate: Figures; actual: Figures | null; isStale: boolean }) {
  const { candidate, actual } = props;
  const { measures } = replayWords.value;
  return (
    <dl class={props.isStale ? "stale" : undefined}>
      {MEASURES.map((measure) => {
        const unit = unitOf(measure);
        const value = figureOf(candidate, measure);
        const difference = actual === null ? null : differenceOf(measure, value, figureOf(actual, measure));
        return (
          <div key={measure}>
            <dt>{measures[measure]}</dt>
            <dd class="figure">
              {valueText(value, unit)}{" "}
              <span class={`change ${difference?.is ?? "neither"}`}>{differenceText(difference, unit)}</span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
