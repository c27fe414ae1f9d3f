import { useState } from "preact/hooks";
import { signIn } from "./session.ts";
import { words } from "./words.ts";

/** Nothing is kept before the service has accepted the token. */
export function SignIn() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    setProblem(await problemOf(token.trim()));
  };
  const { title, signInTitle, signInHint, userToken } = words.value;
  return (
    <main class="sign-in card" id="content">
      <img src="/icon.svg" alt="" width="40" height="40" />
      <h1>{title}</h1>
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
        <button type="submit" class="primary">
          {signInTitle}
        </button>
        <p class="faint">{signInHint}</p>
      </form>
    </main>
  );
}

async function problemOf(token: string): Promise<string | null> {
  const { wrongToken, notAUserToken, offline, failed } = words.value;
  // A header takes no more than this, and no token holds anything else.
  if (!/^[\x21-\x7e]+$/.test(token)) return wrongToken;
  const status = await fetch("/api/agent/instances?limit=1", {
    headers: { Authorization: `Bearer ${token}` },
    cache: "no-store",
  }).then(
    (response) => response.status,
    () => 0,
  );
  switch (status) {
    case 200:
      signIn(token);
      return null;
    case 401:
      return wrongToken;
    case 403:
      return notAUserToken;
    case 0:
    case 503:
      return offline;
    default:
      return failed;
  }
}
