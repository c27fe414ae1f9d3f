import { useEffect, useState } from "preact/hooks";
import { changeQuery, query } from "../route.ts";
import { knownProblem } from "../sign-in/problems.ts";
import { signInWords } from "../sign-in/words.ts";

/** What came to nothing at the OpenID provider, said to whoever is back from there at the place where they were. */
export function ProblemBanner() {
  const [code, setCode] = useState<string | null>(null);
  const inAddress = query.value.get("problem");
  useEffect(() => {
    if (inAddress === null) return;
    setCode(inAddress);
    // It is over: neither *Back* nor a copied address says it again.
    changeQuery({ problem: null }, "replace");
  }, [inAddress]);
  const text = code === null ? null : knownProblem(code);
  if (text === null) return null;
  return (
    <p class="banner problem-banner" role="alert">
      <span>{text}</span>
      <button type="button" onClick={() => setCode(null)}>
        {signInWords.value.close}
      </button>
    </p>
  );
}
