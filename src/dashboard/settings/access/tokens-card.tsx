import { useState } from "preact/hooks";
import type { Role } from "../../../accounts/roles.ts";
import { ask } from "../../api.ts";
import { dateTime } from "../../format.ts";
import { Answered } from "../../parts/answered.tsx";
import { Copyable } from "../../parts/copyable.tsx";
import { confirmed } from "../../parts/dialog.tsx";
import { Field, TextField } from "../../parts/field.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { useLive } from "../../poll.ts";
import { forget, may } from "../../session.ts";
import { language, words } from "../../words.ts";
import type { Token } from "./answers.ts";
import { RoleBadge } from "./role-badge.tsx";
import { RoleChoice, TOKEN_ROLES } from "./role-choice.tsx";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

const ADDRESS = "/api/agent/tokens";
const PAUSE_MS = 60_000;

/** For scripts, the command line and Prometheus. */
export function TokensCard() {
  const tokens = useLive<{ tokens: readonly Token[] }>(ADDRESS, PAUSE_MS);
  const { tokensTitle, tokensHint, noTokens } = accessWords.value;
  return (
    <section class="card">
      <h2>{tokensTitle}</h2>
      <p class="faint">{tokensHint}</p>
      <Answered of={tokens}>
        {(data) => {
          const shown = data.tokens.filter(({ state }) => state !== "revoked");
          if (shown.length === 0) return <p>{noTokens}</p>;
          return (
            <ul class="access-list">
              {shown.map((token) => (
                <TokenRow key={token.id} token={token} onChange={tokens.refresh} />
              ))}
            </ul>
          );
        }}
      </Answered>
      {may("owner") && <NewToken onMade={tokens.refresh} />}
    </section>
  );
}

function TokenRow({ token, onChange }: { token: Token; onChange: () => void }) {
  const { id, name, role, state, expires_at, last_used_at, this: isThis } = token;
  const texts = accessWords.value;
  const { revoke } = words.value;
  const onRevoke = async () => {
    const stakes = isThis ? texts.revokeOwnStakes : texts.revokeTokenStakes;
    if (!(await confirmed(texts.revokeTokenQuestion(name), stakes, revoke))) return;
    const isRevoked = await doAndSay(
      () => ask("DELETE", `${ADDRESS}/${id}`),
      () => texts.revoked(name),
    );
    if (isRevoked && isThis) forget();
    else onChange();
  };
  const end = () => {
    if (expires_at === null) return texts.noEnd;
    return state === "expired"
      ? texts.ended(agoOf(expires_at))
      : texts.ends(dateTime(expires_at, language.value));
  };
  return (
    <li>
      <span>
        <b>{name}</b> <RoleBadge role={role} /> {isThis && <span class="this">{texts.thisToken}</span>}
        <span class={state === "expired" ? "refused line" : "faint line"}>{end()}</span>
      </span>
      <span class="faint">
        {last_used_at === null ? texts.neverUsed : texts.lastUsed(agoOf(last_used_at))}
      </span>
      <span class="buttons">
        {(isThis || may("owner")) && (
          <button type="button" class="danger" aria-label={words.value.of(revoke, name)} onClick={onRevoke}>
            {revoke}
          </button>
        )}
      </span>
    </li>
  );
}

/** For how many days; empty: without an end. */
const ENDS = ["30", "90", "365", ""] as const;

function NewToken({ onMade }: { onMade: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [days, setDays] = useState<string>("90");
  const [token, setToken] = useState<string | null>(null);
  const texts = accessWords.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    setToken(null);
    const isMade = await doAndSay(
      async () => {
        const asked = { name, role, expires_in_days: days === "" ? null : Number(days) };
        setToken((await ask<{ token: string }>("POST", ADDRESS, asked)).token);
      },
      () => texts.tokenMade(name),
    );
    if (!isMade) return;
    setName("");
    onMade();
  };
  return (
    <>
      <form class="access-form" onSubmit={submit}>
        <TextField
          name="token-name"
          label={words.value.fields.name}
          hint={texts.tokenNameHint}
          isRequired
          value={name}
          onChange={setName}
        />
        <RoleChoice roles={TOKEN_ROLES} chosen={role} onChoose={setRole} />
        <Field label={texts.endLabel}>
          {(attributes) => (
            <select
              {...attributes}
              value={days}
              onChange={({ currentTarget }) => setDays(currentTarget.value)}
            >
              {ENDS.map((each) => (
                <option key={each} value={each}>
                  {each === "" ? texts.noEnd : texts.afterDays(Number(each))}
                </option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit" class="primary">
          {texts.makeToken}
        </button>
      </form>
      {token !== null && (
        <div role="status">
          <p>{texts.tokenShownOnce}</p>
          <Copyable text={token} />
        </div>
      )}
    </>
  );
}
