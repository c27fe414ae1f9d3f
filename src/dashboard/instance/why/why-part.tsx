import { useEffect, useRef, useState } from "preact/hooks";
import { ask as askApi } from "../../api.ts";
import type { ApiError } from "../../api-error.ts";
import { dateTime } from "../../format.ts";
import { errorText } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { language, words } from "../../words.ts";
import type { WhyAnswer } from "./answer.ts";
import { type AskedMoment, fromField, toField, toQuery } from "./moment.ts";
import { refusalIn } from "./refusal.ts";
import { Told, verdictText } from "./told.tsx";
import { whyWords } from "./words.ts";
import "./why.css";

const STEP_MS = 10 * 60_000;

type Shown =
  | { readonly is: "nothing" }
  /** What was told before stays meanwhile, so that nothing jumps. */
  | { readonly is: "loading"; readonly before: WhyAnswer | null }
  | { readonly is: "refused"; readonly error: ApiError }
  | { readonly is: "told"; readonly answer: WhyAnswer };

/**
 * What the policy saw at a moment of the past, which is chosen here, in the charts, or by an event of the timeline. `onAsk` puts it
 * into the address, from where it comes back as `asked`.
 */
export function WhyPart({
  address,
  asked,
  onAsk,
}: {
  address: string;
  asked: AskedMoment | null;
  onAsk: (atMs: number) => void;
}) {
  const [field, setField] = useState(() => toField(Date.now() - STEP_MS));
  const [shown, setShown] = useState<Shown>({ is: "nothing" });
  const newest = useRef(0);
  const heading = useRef<HTMLHeadingElement>(null);
  /** Who asks here stays where they are. */
  const isAskedHere = useRef(false);
  const { title, hint, moment, show, earlier, later } = whyWords.value;

  const tell = async (atMs: number) => {
    setField(toField(atMs));
    setShown((before) => ({ is: "loading", before: answerIn(before) }));
    newest.current += 1;
    const question = newest.current;
    const next = await answerOf(address, atMs);
    // Whoever asks twice is told the second.
    if (question === newest.current) setShown(next);
  };

  useEffect(() => {
    if (asked === null) return;
    void tell(asked.atMs);
    if (isAskedHere.current) {
      isAskedHere.current = false;
      return;
    }
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: "start" });
  }, [asked]);

  const ask = (moment: number) => {
    isAskedHere.current = toQuery(moment) !== (asked === null ? null : toQuery(asked.atMs));
    onAsk(moment);
  };

  const atMs = fromField(field);
  const answer = answerIn(shown);
  return (
    <section class="card why">
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p class="faint">{hint}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (atMs !== null) ask(atMs);
        }}
      >
        <label>
          <span>{moment}</span>
          <input
            type="datetime-local"
            step={1}
            required
            value={field}
            onInput={({ currentTarget }) => setField(currentTarget.value)}
          />
        </label>
        <button type="submit">{show}</button>
        <button type="button" disabled={atMs === null} onClick={() => atMs !== null && ask(atMs - STEP_MS)}>
          {earlier}
        </button>
        <button
          type="button"
          disabled={atMs === null || atMs + STEP_MS > Date.now()}
          onClick={() => atMs !== null && ask(atMs + STEP_MS)}
        >
          {later}
        </button>
      </form>
      {/* Always there, so that what comes into it is read out: the verdict, and not all that follows. */}
      <p class={`verdict ${shown.is}`} role="status">
        {saidOf(shown)}
      </p>
      {answer !== null && (
        <div aria-busy={shown.is === "loading"}>
          <Told answer={answer} />
        </div>
      )}
    </section>
  );
}

async function answerOf(address: string, atMs: number): Promise<Shown> {
  try {
    const answer = await askApi<WhyAnswer>("GET", `${address}/why?at=${encodeURIComponent(toQuery(atMs))}`);
    return { is: "told", answer };
  } catch (error) {
    return { is: "refused", error: asApiError(error) };
  }
}

function answerIn(shown: Shown): WhyAnswer | null {
  switch (shown.is) {
    case "told":
      return shown.answer;
    case "loading":
      return shown.before;
    case "nothing":
    case "refused":
      return null;
  }
}

function saidOf(shown: Shown): string | null {
  switch (shown.is) {
    case "nothing":
      return null;
    case "loading":
      return words.value.loading;
    case "refused":
      return refusedText(shown.error);
    case "told":
      return verdictText(shown.answer);
  }
}

function refusedText(error: ApiError): string {
  const { refused } = whyWords.value;
  const refusal = refusalIn(error);
  switch (refusal?.is) {
    case undefined:
      return errorText(error);
    case "future":
      return refused.future;
    case "not_registered":
      return refused.notRegistered(dateTime(refusal.from, language.value));
    case "not_kept_any_more":
      return refused.notKept(dateTime(refusal.from, language.value));
  }
}
