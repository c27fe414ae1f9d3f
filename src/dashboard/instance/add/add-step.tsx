import type { ComponentChildren } from "preact";
import { words } from "../../words.ts";
import { addWords } from "./words.ts";

/** One step: with what was answered, or with what is asked; without either it is still to come. */
export function Step(props: {
  number: number;
  title: string;
  answer?: string | null;
  onChange?: () => void;
  children?: ComponentChildren;
}) {
  const { number, title, answer = null, onChange, children } = props;
  const { step, change } = addWords.value;
  const isAhead = answer === null && children === undefined;
  return (
    <section
      class={isAhead ? "step-of-adding ahead" : answer === null ? "step-of-adding" : "step-of-adding done"}
    >
      <span class="number" aria-hidden="true">
        {answer === null ? number : "✓"}
      </span>
      <div>
        <h2>
          <span class="hidden">{step(number)}: </span>
          {title}
        </h2>
        {answer !== null && (
          <p class="answer">
            <b>{answer}</b>{" "}
            <button type="button" class="link" aria-label={words.value.of(change, title)} onClick={onChange}>
              {change}
            </button>
          </p>
        )}
        {children}
      </div>
    </section>
  );
}
