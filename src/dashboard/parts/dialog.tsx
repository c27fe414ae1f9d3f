import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../words.ts";

/** Asks before money or work is at stake. */

interface Question {
  readonly title: string;
  readonly stakes: string;
  readonly action: string;
  readonly answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

export function confirmed(title: string, stakes: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      title,
      stakes,
      action,
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
      <div class="buttons">
        <button type="button" onClick={() => asked.answer(false)}>
          {words.value.cancel}
        </button>
        <button type="button" class="primary" onClick={() => asked.answer(true)}>
          {asked.action}
        </button>
      </div>
    </dialog>
  );
}
