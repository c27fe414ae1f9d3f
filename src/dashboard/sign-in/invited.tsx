import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { asApiError } from "../poll.ts";
import { linkProblem } from "./problems.ts";
import { signInWords } from "./words.ts";

interface InvitedProps {
  /** What the OpenID provider is called. */
  readonly provider: string;
  /** Of the invitation's link. */
  readonly secret: string;
  /** Signs in by the link alone. */
  readonly follow: (secret: string) => Promise<void>;
  readonly onProblem: (why: string) => void;
}

/** How somebody who was invited comes in: with the provider, by which they are known from then on, or by the link alone, once. */
export function Invited({ provider, secret, follow, onProblem }: InvitedProps) {
  const [isBusy, setBusy] = useState(false);
  const { invited, openid, linkAlone } = signInWords.value;
  const withProvider = async () => {
    setBusy(true);
    try {
      // In the body: an address is kept in many places.
      const { url } = await ask<{ url: string }>("POST", "/api/session/openid", { link: secret });
      location.assign(url);
    } catch (error) {
      onProblem(linkProblem(asApiError(error)));
    }
  };
  const byLink = async () => {
    setBusy(true);
    await follow(secret);
  };
  return (
    <>
      <p>{invited(provider)}</p>
      <div class="stack">
        <button type="button" class="primary" disabled={isBusy} onClick={withProvider}>
          {openid(provider)}
        </button>
        <button type="button" disabled={isBusy} onClick={byLink}>
          {linkAlone}
        </button>
      </div>
    </>
  );
}
