import { useEffect, useRef, useState } from "preact/hooks";
import { LanguageChoice } from "../frame/language-choice.tsx";
import { asApiError } from "../poll.ts";
import { changeQuery, query } from "../route.ts";
import { signedIn, whoami } from "../session.ts";
import { AllWays, useWays } from "./all-ways.tsx";
import { Invited } from "./invited.tsx";
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

/** A link that is followed. */
interface Followed {
  readonly secret: string;
  /** Whoever is invited may choose by what they are known from then on. */
  readonly isInvitation: boolean;
}

function Entrance() {
  const [link, setLink] = useState<Followed | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [inAddress, code] = [query.value.get("link"), query.value.get("problem")];
  const isSignedIn = typeof signedIn.value === "number";
  const ways = useWays(link?.isInvitation === true);
  const provider = ways?.openid ?? null;
  // Whoever is signed in is asked first, and whoever may choose, too.
  const isToFollow =
    link !== null && !isSignedIn && (!link.isInvitation || (ways !== null && provider === null));
  const give = (why: string) => {
    setProblem(why);
    // Whoever is signed in stays here until they have read it.
    if (typeof signedIn.peek() !== "number") setLink(null);
  };
  /** The link that is being followed. It works once, and that the former session is over may be heard before its answer comes. */
  const followed = useRef<string | null>(null);
  const follow = async (secret: string) => {
    if (followed.current === secret) return;
    followed.current = secret;
    try {
      await signIn({ link: secret });
    } catch (error) {
      followed.current = null;
      give(linkProblem(asApiError(error)));
    }
  };
  useEffect(() => {
    if (inAddress === null && code === null) return;
    if (inAddress === null && isSignedIn) {
      // It is said where they are let in.
      location.replace(`#/?problem=${encodeURIComponent(code ?? "")}`);
      return;
    }
    setLink(
      inAddress === null ? null : { secret: inAddress, isInvitation: query.value.get("invited") !== null },
    );
    setProblem(code === null ? null : openIdProblem(code));
    // A secret must not stay where *Back* finds it, nor be copied with the address.
    changeQuery({ link: null, problem: null, invited: null }, "replace");
  }, [inAddress, code]);
  useEffect(() => {
    if (isToFollow) void follow(link.secret);
    if (link === null && inAddress === null && code === null && isSignedIn) location.replace("#/");
  }, [link, inAddress, code, isSignedIn, isToFollow]);
  if (link === null) return isSignedIn ? null : <AllWays problem={problem} />;
  const somebody = whoami.value;
  const { alreadyIn, useLink, stay, byLink } = signInWords.value;
  if (somebody !== null && somebody !== undefined) {
    // A link from somebody else must not change the account under who is signed in.
    return (
      <>
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <p>{alreadyIn(somebody.by.name, somebody.user.name)}</p>
        <div class="stack">
          <button type="button" class="primary" onClick={() => follow(link.secret)}>
            {useLink}
          </button>
          <button type="button" onClick={() => location.replace("#/")}>
            {stay}
          </button>
        </div>
      </>
    );
  }
  if (!link.isInvitation || provider === null) return <p role="status">{byLink}</p>;
  return <Invited provider={provider.name} secret={link.secret} follow={follow} onProblem={give} />;
}
