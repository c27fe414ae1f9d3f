import { useState } from "preact/hooks";
import { addressOf, type Operation } from "./document.ts";
import { docsWords } from "./words.ts";

/** More than this of an answer is no example any more. */
const CHARACTERS_SHOWN = 20_000;

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Asks what only reads, as whoever is signed in to the page. */
export function Try({ operation }: { operation: Operation }) {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [isSending, setSending] = useState(false);
  const [answer, setAnswer] = useState<Answered | null>(null);
  const { tryIt, tryHint, send, sending } = docsWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    setAnswer(await ask(addressOf(operation, values)));
    setSending(false);
  };
  return (
    <section>
      <h3>{tryIt}</h3>
      <p class="faint">{tryHint}</p>
      <form class="try" onSubmit={submit}>
        {operation.parameters
          .filter(({ place }) => place === "path" || place === "query")
          .map(({ name, isRequired }) => (
            <label key={name}>
              <span>{name}</span>
              <input
                name={name}
                required={isRequired}
                autocomplete="off"
                value={values[name] ?? ""}
                onInput={({ currentTarget }) => setValues({ ...values, [name]: currentTarget.value })}
              />
            </label>
          ))}
        <button type="submit" disabled={isSending}>
          {isSending ? sending : send}
        </button>
      </form>
      <output>
        {answer !== null && (
          <>
            <p>
              <b>{answer.status}</b>
            </p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
            <pre tabIndex={0}>{answer.text}</pre>
          </>
        )}
      </output>
    </section>
  );
}

async function ask(address: string): Promise<Answered> {
  try {
    const response = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    return { status: response.status, text: shown(await response.text()) };
  } catch {
    return { status: 0, text: docsWords.value.unreachable };
  }
}

function shown(text: string): string {
  const whole = indented(text);
  return whole.length > CHARACTERS_SHOWN ? `${whole.slice(0, CHARACTERS_SHOWN)}\n…` : whole;
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
