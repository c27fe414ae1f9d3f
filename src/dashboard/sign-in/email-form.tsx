import { useState } from "preact/hooks";
import { asApiError } from "../poll.ts";
import { keepNext } from "./next.ts";
import { otherProblem } from "./problems.ts";
import { sendLink } from "./signing-in.ts";
import { signInWords } from "./words.ts";

/** Has a link sent. Whether anybody has the address is told to nobody but who reads its mail. */
export function EmailForm({ isFirst }: { isFirst: boolean }) {
  const [email, setEmail] = useState("");
  const [sentTo, setSentTo] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const words = signInWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      keepNext();
      await sendLink(email.trim());
      setSentTo(email.trim());
    } catch (error) {
      setProblem(otherProblem(asApiError(error)));
    }
    setBusy(false);
  };
  if (sentTo !== null) {
    return (
      <div role="status">
        <p>{words.linkSent(sentTo)}</p>
        <button type="button" class="wide" onClick={() => setSentTo(null)}>
          {words.otherEmail}
        </button>
      </div>
    );
  }
  return (
    <form onSubmit={submit}>
      <label>
        <span>{words.email}</span>
        <input
          type="email"
          name="email"
          required
          autocomplete="email"
          value={email}
          onInput={({ currentTarget }) => setEmail(currentTarget.value)}
        />
      </label>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class={isFirst ? "primary wide" : "wide"} disabled={isBusy}>
        {words.sendLink}
      </button>
    </form>
  );
}
