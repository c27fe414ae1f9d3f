import { dayAndTime } from "../format.ts";
import { errorText } from "../parts/notice.tsx";
import { fieldLabel } from "../settings/policy-field.tsx";
import { ProblemText } from "../settings/problem-text.tsx";
import { language } from "../words.ts";
import { refusalProblems } from "./refusal.ts";
import type { TrialState, Trying } from "./trial.ts";
import { replayWords } from "./words.ts";

/** How far a trial has come, or why it has not, and what can be done then. It is the summary that is read out. */
export function TryingLine(props: { state: TrialState; onTry: () => void; onKeep: () => void }) {
  const { state, onTry, onKeep } = props;
  const { trying, shown, isKept } = state;
  const isOfTyped = state.of === "typed";
  const {
    try: tryIt,
    tryTyped,
    tryAgain,
    trying: said,
    keep,
    isKept: kept,
    passes,
    opened,
  } = replayWords.value;
  const again = (
    <button type="button" onClick={onTry}>
      {tryAgain}
    </button>
  );
  switch (trying.is) {
    case "waiting":
    case "asked":
    case "crowded":
      return <p class="faint">{said[trying.is]}</p>;
    case "running":
      return <Progress state={state} />;
    case "refused":
      return <Refused trying={trying} />;
    case "failed":
      return (
        <p class="wrong" role="alert">
          {said.failed(trying.error.status === 404 ? said.gone : errorText(trying.error))} {again}
        </p>
      );
    case "at_rest":
      if (shown === null) {
        return (
          <p>
            <button type="button" onClick={onTry}>
              {tryIt}
            </button>
          </p>
        );
      }
      return (
        <>
          {shown.state === "failed" && (
            <p class="wrong" role="alert">
              {said.broken(reasonOf(shown.failed_because))} {again}
            </p>
          )}
          <p class="of-shown">
            {!isOfTyped && (
              <>
                {opened(dayAndTime(shown.created_at, language.value))}{" "}
                <button type="button" onClick={onTry}>
                  {tryTyped}
                </button>
              </>
            )}
            {isOfTyped && isKept && <span class="faint">{kept}</span>}
            {isOfTyped && !isKept && (
              <>
                <button type="button" onClick={onKeep}>
                  {keep}
                </button>{" "}
                <span class="faint">{passes}</span>
              </>
            )}
          </p>
        </>
      );
  }
}

/** Never the code itself. */
function reasonOf(because: string | null): string | null {
  const { brokenBecause } = replayWords.value.trying;
  return because !== null && Object.hasOwn(brokenBecause, because) ? (brokenBecause[because] ?? null) : null;
}

function Progress({ state: { shown } }: { state: TrialState }) {
  if (shown === null) return null;
  const { done, skipped, total } = shown.instances;
  const { running, soFar } = replayWords.value.trying;
  const text = running(done + skipped, total);
  return (
    <div class="progress">
      <progress max={total} value={done + skipped} aria-label={text} />
      <p>
        {text}. <span class="faint">{soFar}</span>
      </p>
    </div>
  );
}

function Refused({ trying }: { trying: Extract<Trying, { is: "refused" }> }) {
  const problems = refusalProblems(trying.error);
  const { refused } = replayWords.value.trying;
  return (
    <div class="wrong">
      <p>{refused}</p>
      <ul>
        {problems.length === 0 && <li>{errorText(trying.error)}</li>}
        {problems.map((problem, index) => (
          <li key={index}>
            {problem.path !== null && `${fieldLabel(problem.path)}: `}
            <ProblemText of={problem} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** In one line; null where all is there. */
export function progressText({ trying, shown }: TrialState): string | null {
  const { trying: said } = replayWords.value;
  switch (trying.is) {
    case "at_rest":
      return null;
    case "waiting":
    case "asked":
    case "crowded":
      return said[trying.is];
    case "running":
      return shown === null
        ? said.asked
        : said.running(shown.instances.done + shown.instances.skipped, shown.instances.total);
    case "refused":
      return said.notValid;
    case "failed":
      return said.failed(trying.error.status === 404 ? said.gone : errorText(trying.error));
  }
}
