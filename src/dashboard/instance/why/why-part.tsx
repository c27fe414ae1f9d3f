import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../../api.ts";
import { errorText } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { words } from "../../words.ts";
import type { WhyAnswer } from "./answer.ts";
import { type AskedMoment, fromField, toField, toQuery } from "./moment.ts";
import { Told } from "./told.tsx";
import { whyWords } from "./words.ts";
import "./why.css";

const STEP_MS = 10 * 60_000;

type Shown =
  | { readonly is: "nothing" | "loading" }
  | { readonly is: "refused"; readonly text: string }
  | { readonly is: "told"; readonly answer: WhyAnswer };

/** What the policy saw at a moment of the past, which is chosen here or by an event of the timeline. */
export function WhyPart({ address, asked }: { address: string; asked: AskedMoment | null }) {
  const [field, setField] = useState(() => toField(Date.now() - STEP_MS));
  const [shown, setShown] = useState<Shown>({ is: "nothing" });
  const newest = useRef(0);
  const heading = useRef<HTMLHeadingElement>(null);
  const { title, hint, moment, show, earlier, later } = whyWords.value;

  const tell = async (atMs: number) => {
    setField(toField(atMs));
    setShown({ is: "loading" });
    newest.current += 1;
    const question = newest.current;
    const next = await answerOf(address, atMs);
    // Whoever asks twice is told the second.
    if (question === newest.current) setShown(next);
  };

  useEffect(() => {
    if (asked === null) return;
    void tell(asked.atMs);
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: "start" });
  }, [asked]);

  const atMs = fromField(field);
  return (
    <section class="card why">
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      <p class="faint">{hint}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (atMs !== null) void tell(atMs);
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
        <button
          type="button"
          disabled={atMs === null}
          onClick={() => atMs !== null && void tell(atMs - STEP_MS)}
        >
          {earlier}
        </button>
        <button
          type="button"
          disabled={atMs === null || atMs + STEP_MS > Date.now()}
          onClick={() => atMs !== null && void tell(atMs + STEP_MS)}
        >
          {later}
        </button>
      </form>
      <div aria-live="polite">
        {shown.is === "loading" && <p class="faint">{words.value.loading}</p>}
        {shown.is === "refused" && <p class="wrong">{shown.text}</p>}
        {shown.is === "told" && <Told answer={shown.answer} />}
      </div>
    </section>
  );
}

async function answerOf(address: string, atMs: number): Promise<Shown> {
  try {
    const answer = await ask<WhyAnswer>("GET", `${address}/why?at=${encodeURIComponent(toQuery(atMs))}`);
    return { is: "told", answer };
  } catch (error) {
    return { is: "refused", text: errorText(asApiError(error)) };
  }
}
