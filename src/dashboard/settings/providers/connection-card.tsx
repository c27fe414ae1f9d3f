import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { abilitiesOf } from "../../../lifecycle/model/provider.ts";
import { ask } from "../../api.ts";
import { now } from "../../clock.ts";
import { fleet } from "../../fleet/fleet.ts";
import { dateTime, duration, price } from "../../format.ts";
import { confirmed } from "../../parts/dialog.tsx";
import { doAndSay, errorText, say } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { may } from "../../session.ts";
import { language, words } from "../../words.ts";
import { ChangeForm, CredentialFields, type Credentials, filled } from "../connection-form.tsx";
import { CONNECTIONS_ADDRESS, type Connection, type CredentialField } from "../connections.tsx";
import { Abilities } from "./abilities.tsx";
import { Found } from "./found.tsx";
import { type ListedMachine, type Listing, totalOf } from "./inventory.ts";
import { providersWords } from "./words.ts";

/** A connection: how it stands, what is watched there and what is not, and what can be done about it. */
export function ConnectionCard(props: {
  connection: Connection;
  fields: readonly CredentialField[];
  /** What nobody watches there; null while that is not known. */
  unwatched: readonly ListedMachine[] | null;
  listing: Listing | null;
  isOpen: boolean;
  onChange: () => void;
}) {
  const { connection, fields, unwatched, listing, onChange } = props;
  const { id, provider, name, state, problem, checked_at } = connection;
  const [edited, setEdited] = useState<"name" | "credentials" | null>(null);
  const [isOpen, setOpen] = useState(props.isOpen);
  const { state: states, refusedHelp, actions, abilities, show } = providersWords.value;
  const { connectionChecked, neverChecked, of, done } = words.value;
  const address = `${CONNECTIONS_ADDRESS}/${id}`;
  const shownState = state === "refused" ? "refused" : checked_at === null ? "unchecked" : "active";
  const onCheck = async () => {
    await doAndSay(
      () => ask<Connection>("POST", `${address}/check`),
      (checked) => checked.problem ?? words.value.connectionWorks(name),
    );
    onChange();
  };
  const onDelete = async () => {
    const { deleteConnectionQuestion, deleteConnectionStakes } = words.value;
    if (!(await confirmed(deleteConnectionQuestion(name), deleteConnectionStakes, actions.remove))) return;
    await doAndSay(
      () => ask("DELETE", address),
      () => done.saved,
    );
    onChange();
  };
  const onLook = async () => {
    try {
      const looked = await ask<Listing>("POST", `${address}/sync`);
      if (looked.problem !== null) say(looked.problem, true);
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
    setOpen(true);
    onChange();
  };
  const save = async (change: object) => {
    const isSaved = await doAndSay(
      () => ask("PATCH", address, change),
      () => done.saved,
    );
    onChange();
    return isSaved;
  };
  const action = (label: string, act: () => void, style?: string) => (
    <button type="button" class={style} aria-label={of(label, name)} onClick={act}>
      {label}
    </button>
  );
  return (
    <li class="provider">
      <header>
        <h3>{name}</h3>
        <span class={`pill ${shownState}`}>{states[shownState]}</span>
      </header>
      <p class="faint">
        {words.value.providers[provider]}
        {" · "}
        {checked_at === null ? neverChecked : connectionChecked(dateTime(checked_at, language.value))}
      </p>
      {state === "refused" && <p class="wrong">{refusedHelp}</p>}
      {problem !== null && (
        <p class="wrong" lang="en">
          {problem}
        </p>
      )}
      <Watched {...props}>
        {!isOpen && unwatched !== null && unwatched.length > 0 && (
          <button type="button" class="link" aria-label={of(show, name)} onClick={() => setOpen(true)}>
            {show}
          </button>
        )}
      </Watched>
      {listing?.problem != null && (
        <p class="wrong">
          {providersWords.value.listProblem} <span lang="en">{listing.problem}</span>
        </p>
      )}
      {isOpen && unwatched !== null && <Found machines={unwatched} onWatched={onChange} />}
      <details>
        <summary>{abilities.title}</summary>
        <Abilities kind={provider} />
      </details>
      {may("owner") && (
        <span class="buttons">
          {abilitiesOf(provider).lists && action(actions.look, onLook)}
          {action(actions.check, onCheck)}
          {action(actions.rename, () => setEdited("name"))}
          {action(actions.replace, () => setEdited("credentials"))}
          {action(actions.remove, onDelete, "danger")}
        </span>
      )}
      {edited === "name" && <Rename name={name} onSave={save} onEnd={() => setEdited(null)} />}
      {edited === "credentials" && (
        <Replace id={id} fields={fields} onSave={save} onEnd={() => setEdited(null)} />
      )}
    </li>
  );
}

/** How many machines are watched there, and how many are not, with what those cost. */
function Watched(props: {
  connection: Connection;
  unwatched: readonly ListedMachine[] | null;
  listing: Listing | null;
  children: ComponentChildren;
}) {
  const { connection, unwatched, listing, children } = props;
  const { watched, unwatched: left, allWatched, notListed, listedAt, found } = providersWords.value;
  const own = fleet.value?.instances.filter((instance) => instance.connection === connection.id).length;
  const parts: string[] = own === undefined ? [] : [watched(own)];
  if (!abilitiesOf(connection.provider).lists) parts.push(notListed);
  else if (unwatched !== null && listing?.listed_at != null) {
    const { dollars } = totalOf(unwatched);
    const costs = dollars === null ? "" : `, ${found.anHour(price(dollars, language.value))}`;
    parts.push(unwatched.length === 0 ? allWatched : `${left(unwatched.length)}${costs}`);
    parts.push(listedAt(duration((now.value - Date.parse(listing.listed_at)) / 1000)));
  }
  return (
    <p class={unwatched === null || unwatched.length === 0 ? "watched" : "watched some-left"}>
      {parts.join(" · ")} {children}
    </p>
  );
}

interface Editing {
  readonly onSave: (change: object) => Promise<boolean>;
  readonly onEnd: () => void;
}

function Rename({ name, onSave, onEnd }: Editing & { name: string }) {
  const [given, setGiven] = useState(name);
  return (
    <ChangeForm onSubmit={() => onSave({ name: given })} onEnd={onEnd}>
      <label>
        <span>{words.value.fields.name}</span>
        <input required value={given} onInput={({ currentTarget }) => setGiven(currentTarget.value)} />
      </label>
    </ChangeForm>
  );
}

function Replace({
  id,
  fields,
  onSave,
  onEnd,
}: Editing & { id: string; fields: readonly CredentialField[] }) {
  const [given, setGiven] = useState<Credentials>({});
  return (
    <ChangeForm onSubmit={() => onSave({ credentials: filled(fields, given) })} onEnd={onEnd}>
      <CredentialFields of={id} fields={fields} given={given} onChange={setGiven} />
    </ChangeForm>
  );
}
