import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.ts";
import { EmailForm } from "./email-form.tsx";
import { keepNext } from "./next.ts";
import type { Ways } from "./signing-in.ts";
import { TokenForm } from "./token-form.tsx";
import { signInWords } from "./words.ts";

/** By token alone, where the service does not say what else there is. */
const AT_LEAST: Ways = { token: true, email: false, openid: null };

/** The ways that the service offers, once they are wanted; null while they are not known. */
export function useWays(isWanted = true): Ways | null {
  const [ways, setWays] = useState<Ways | null>(null);
  useEffect(() => {
    if (isWanted) ask<Ways>("GET", "/api/session/ways").then(setWays, () => setWays(AT_LEAST));
  }, [isWanted]);
  return ways;
}

/** The ways to sign in, the quickest first. */
export function AllWays({ problem }: { problem: string | null }) {
  const ways = useWays();
  const { openid, or, withToken } = signInWords.value;
  const isTokenAlone = ways !== null && ways.openid === null && !ways.email;
  return (
    <>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {ways?.openid && (
        <a class="button primary wide" href={openIdAddress()} onClick={keepNext}>
          {openid(ways.openid.name)}
        </a>
      )}
      {ways?.openid && ways.email && (
        <p class="or">
          <span>{or}</span>
        </p>
      )}
      {ways?.email && <EmailForm isFirst={ways.openid === null} />}
      {isTokenAlone && <TokenForm />}
      {ways !== null && !isTokenAlone && (
        <details class="by-token">
          <summary>{withToken}</summary>
          <TokenForm />
        </details>
      )}
    </>
  );
}

function openIdAddress(): string {
  const { hash } = location;
  const isPlace = /^#\/[\x21-\x7e]{0,990}$/.test(hash) && !hash.startsWith("#/sign-in");
  return `/api/session/openid${isPlace ? `?to=${encodeURIComponent(hash)}` : ""}`;
}
