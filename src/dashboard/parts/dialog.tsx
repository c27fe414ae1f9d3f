import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { words } from "../words.ts";

/** Asks before money or work is at stake. */

interface Question {
  readonly title: string;
  readonly stakes: string;
  readonly action: string;
  /** What must be typed before it can be answered with yes; null for nothing. */
  readonly typed: string | null;
  readonly answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

export function confirmed(
  title: string,
  stakes: string,
  action: string,
  typed: string | null = null,
): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      title,
      stakes,
      action,
      typed,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

export function Dialog() {
  const element = useRef<HTMLDialogElement>(null);
  const asked = question.value;
  useEffect(() => {
    if (asked !== null) element.current?.showModal();
  }, [asked]);
  if (asked === null) return null;
  return (
    <dialog ref={element} aria-labelledby="question" onClose={() => asked.answer(false)}>
      <h2 id="question">{asked.title}</h2>
      <p>{asked.stakes}</p>
      <Answer asked={asked} />
    </dialog>
  );
}

function Answer({ asked: { action, typed, answer } }: { asked: Question }) {
  const [given, setGiven] = useState("");
  const isConfirmed = typed === null || given.trim() === typed.trim();
  const submit = (event: Event) => {
    event.preventDefault();
    if (isConfirmed) answer(true);
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
      <div class="buttons">
        <button type="button" onClick={() => answer(false)}>
          {words.value.cancel}
        </button>
        <button type="submit" class={typed === null ? "primary" : "danger"} disabled={!isConfirmed}>
          {action}
        </button>
      </div>
    </form>
  );
}
