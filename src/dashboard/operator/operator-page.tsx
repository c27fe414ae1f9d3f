import { useState } from "preact/hooks";
import { Field } from "../parts/field.tsx";
import { errorText } from "../parts/notice.tsx";
import { tryToken } from "./operator-api.ts";
import { operatorToken } from "./operator-token.ts";
import { ServicePart } from "./service-part.tsx";
import { UsersPart } from "./users-part.tsx";
import "./operator.css";
import { operatorWords } from "./words.ts";

/** The service as a whole, for who runs it. */
export function OperatorPage() {
  const { title, leave } = operatorWords.value;
  if (operatorToken.value === null) return <Entrance />;
  return (
    <>
      <div class="page-head">
        <h1>{title}</h1>
        <button
          type="button"
          onClick={() => {
            operatorToken.value = null;
          }}
        >
          {leave}
        </button>
      </div>
      <ServicePart />
      <UsersPart />
    </>
  );
}

function Entrance() {
  const [given, setGiven] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const { title, token, tokenHint, open, wrongToken } = operatorWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    const tried = given.trim();
    if (!/^[\x21-\x7e]+$/.test(tried)) {
      setProblem(wrongToken);
      return;
    }
    const refusal = await tryToken(tried);
    if (refusal !== null) setProblem([401, 403].includes(refusal.status) ? wrongToken : errorText(refusal));
  };
  return (
    <section class="card operator-entrance">
      <h1>{title}</h1>
      <form onSubmit={submit}>
        <Field label={token} hint={tokenHint} problem={problem}>
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              name="operator-token"
              required
              autocomplete="off"
              value={given}
              onInput={({ currentTarget }) => setGiven(currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class="primary">
          {open}
        </button>
      </form>
    </section>
  );
}
