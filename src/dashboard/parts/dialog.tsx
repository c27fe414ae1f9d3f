import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { words } from "../words.ts";

/** Asks before money or work is at stake. */

type Answered = "no" | "yes" | "yes_with_option";

interface Question {
  readonly title: string;
  readonly stakes: string;
  readonly action: string;
  /** What must be typed before it can be answered with yes; null for nothing. */
  readonly typed: string | null;
  /** What can be ticked beside it; null for nothing. */
  readonly option: string | null;
  readonly answer: (given: Answered) => void;
}

const question = signal<Question | null>(null);

export async function confirmed(
  title: string,
  stakes: string,
  action: string,
  typed: string | null = null,
): Promise<boolean> {
  return (await asked({ title, stakes, action, typed, option: null })) !== "no";
}

/** The same, with something that can be ticked. */
export function confirmedWith(
  title: string,
  stakes: string,
  action: string,
  option: string,
): Promise<Answered> {
  return asked({ title, stakes, action, typed: null, option });
}

function asked(given: Omit<Question, "answer">): Promise<Answered> {
  return new Promise((resolve) => {
    question.value = {
      ...given,
      answer: (answer) => {
        question.value = null;
        resolve(answer);
      },
    };
  });
}

export function Dialog() {
  const element = useRef<HTMLDialogElement>(null);
  const current = question.value;
  useEffect(() => {
    if (current !== null) element.current?.showModal();
  }, [current]);
  if (current === null) return null;
  return (
    <dialog ref={element} aria-labelledby="question" onClose={() => current.answer("no")}>
      <h2 id="question">{current.title}</h2>
      <p>{current.stakes}</p>
      <Answer current={current} />
    </dialog>
  );
}

function Answer({ current: { action, typed, option, answer } }: { current: Question }) {
  const [isTicked, setTicked] = useState(false);
  const [given, setGiven] = useState("");
  const isConfirmed = typed === null || given.trim() === typed.trim();
  const submit = (event: Event) => {
    event.preventDefault();
    if (isConfirmed) answer(isTicked ? "yes_with_option" : "yes");
  };
  return (
    <form onSubmit={submit}>
      {typed !== null && (
        <label>
          <span>{words.value.instances.typeToConfirm(typed)}</span>
          <input
            autocomplete="off"
            value={given}
            onInput={({ currentTarget }) => setGiven(currentTarget.value)}
          />
        </label>
      )}
      {option !== null && (
        <label class="never">
          <input
            type="checkbox"
            checked={isTicked}
            onChange={({ currentTarget }) => setTicked(currentTarget.checked)}
          />
          {option}
        </label>
      )}
      <div class="buttons">
        <button type="button" onClick={() => answer("no")}>
          {words.value.cancel}
        </button>
        <button type="submit" class={typed === null ? "primary" : "danger"} disabled={!isConfirmed}>
          {action}
        </button>
      </div>
    </form>
  );
}
