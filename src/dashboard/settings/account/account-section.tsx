import { Answered } from "../../parts/answered.tsx";
import { useLive } from "../../poll.ts";
import { may, whoami } from "../../session.ts";
import { type Account, AccountForm } from "./account-form.tsx";
import { accountWords } from "./words.ts";

const PAUSE_MS = 300_000;

/** The account as a whole: what it is called, and how it is told. */
export function AccountSection() {
  const account = useLive<Account>("/api/agent/account", PAUSE_MS);
  const { title, hint, onlyOwners, id } = accountWords.value;
  return (
    <section class="card">
      <h2>{title}</h2>
      <p class="faint">{may("owner") ? hint : onlyOwners}</p>
      <Answered of={account}>
        {(data) => <AccountForm key={JSON.stringify(data)} account={data} onSaved={account.refresh} />}
      </Answered>
      {whoami.value && (
        <p class="faint account-id">
          {id} <span class="id">{whoami.value.user.id}</span>
        </p>
      )}
    </section>
  );
}
