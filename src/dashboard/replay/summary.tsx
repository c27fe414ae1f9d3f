import { differenceText, resultText, valueText } from "./amounts.ts";
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
  const isEmpty = shown === null && trying.is === "at_rest";
  return (
    <aside class={isEmpty ? "replay-summary empty" : "replay-summary"} aria-label={title}>
      <p>
        <b>{shown === null ? title : lastDays[state.of](shown.days)}</b>{" "}
        {!isEmpty && (
          <button type="button" class="link" onClick={goToReplay}>
            {details}
          </button>
        )}
      </p>
      {isEmpty && <p class="faint">{appearsHere}</p>}
      {shown !== null && candidate !== null && (
        <SummaryFigures
          candidate={candidate}
          actual={resultOf(shown.results, "actual")}
          isStale={state.of === "before"}
        />
      )}
      {/* Always there, so that what comes into it is read out: also that it has ended, which is seen without a word. */}
      <p class="faint" role="status">
        {progressText(state) ?? <span class="hidden">{endText(state)}</span>}
      </p>
    </aside>
  );
}

/** To what the summary is of, which begins with how far it has come. */
export function goToReplay(): void {
  const place = document.getElementById("replay");
  place?.focus({ preventScroll: true });
  place?.scrollIntoView({ block: "start" });
}

/** What it came to, in one sentence. */
function endText({ shown, of, isKept }: TrialState): string | null {
  const candidate = resultOf(shown?.results ?? [], "candidate");
  if (shown === null || shown.state === "running" || candidate === null) return null;
  const { lastDays, isKept: kept } = replayWords.value;
  const text = `${lastDays[of](shown.days)}: ${resultText(candidate)}.`;
  return of === "typed" && isKept ? `${text} ${kept}` : text;
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
