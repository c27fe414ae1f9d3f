import { useState } from "preact/hooks";
import { asApiError } from "../poll.ts";
import { tokenProblem } from "./problems.ts";
import { signIn } from "./signing-in.ts";
import { signInWords } from "./words.ts";

/** Nothing is kept of the token: the service gives a session for it. */
export function TokenForm() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { userToken, signIn: action, tokenHint, wrongToken } = signInWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const given = token.trim();
    // No token holds anything else.
    if (!/^[\x21-\x7e]+$/.test(given)) {
      setProblem(wrongToken);
      return;
    }
    setBusy(true);
    try {
      await signIn({ token: given });
    } catch (error) {
      setProblem(tokenProblem(asApiError(error)));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit}>
      <label>
        <span>{userToken}</span>
        <input
          type="password"
          name="token"
          required
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="primary wide" disabled={isBusy}>
        {action}
      </button>
      <p class="faint small">{tokenHint}</p>
    </form>
  );
}
