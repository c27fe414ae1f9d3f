import { useEffect, useState } from "preact/hooks";
import { LanguageChoice } from "../frame/language-choice.tsx";
import { asApiError } from "../poll.ts";
import { changeQuery, query } from "../route.ts";
import { signedIn, whoami } from "../session.ts";
import { AllWays } from "./all-ways.tsx";
import { linkProblem, openIdProblem } from "./problems.ts";
import "./sign-in.css";
import { signIn } from "./signing-in.ts";
import { signInWords } from "./words.ts";

/** Where somebody signs in, by whatever ways the service offers. */
export function SignInPage() {
  const { title, tagline, operator } = signInWords.value;
  return (
    <div class="sign-in-page">
      <main class="sign-in card" id="content">
        <img src="/icon.svg" alt="" width="44" height="44" />
        <h1>{title}</h1>
        <p class="faint">{tagline}</p>
        <Entrance />
      </main>
      <footer>
        <LanguageChoice />
        <a href="#/operator">{operator}</a>
      </footer>
    </div>
  );
}

function Entrance() {
  const [link, setLink] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [inAddress, code] = [query.value.get("link"), query.value.get("problem")];
  const isSignedIn = typeof signedIn.value === "number";
  const follow = async (secret: string) => {
    try {
      await signIn({ link: secret });
    } catch (error) {
      setProblem(linkProblem(asApiError(error)));
      setLink(null);
    }
  };
  useEffect(() => {
    if (inAddress === null && code === null) return;
    setLink(inAddress);
    setProblem(code === null ? null : openIdProblem(code));
    // A secret must not stay where *Back* finds it, nor be copied with the address.
    changeQuery({ link: null, problem: null }, "replace");
  }, [inAddress, code]);
  useEffect(() => {
    if (link !== null && !isSignedIn) void follow(link);
    if (link === null && inAddress === null && isSignedIn) location.replace("#/");
  }, [link, inAddress, isSignedIn]);
  if (link === null) return isSignedIn ? null : <AllWays problem={problem} />;
  const somebody = whoami.value;
  const { alreadyIn, useLink, stay, byLink } = signInWords.value;
  if (somebody === null || somebody === undefined) return <p role="status">{byLink}</p>;
  // A link from somebody else must not change the account under who is signed in.
  return (
    <>
      <p>{alreadyIn(somebody.by.name, somebody.user.name)}</p>
      <div class="stack">
        <button type="button" class="primary" onClick={() => follow(link)}>
          {useLink}
        </button>
        <button type="button" onClick={() => location.replace("#/")}>
          {stay}
        </button>
      </div>
    </>
  );
}
