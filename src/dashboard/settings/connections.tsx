import { useState } from "preact/hooks";
import type { CalledProvider } from "../../lifecycle/model/provider.ts";
import { ask } from "../api.ts";
import { dateTime } from "../format.ts";
import { confirmed } from "../parts/dialog.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { useLive } from "../poll.ts";
import { language, words } from "../words.ts";
import {
  ChangeForm,
  type CredentialField,
  CredentialFields,
  type Credentials,
  filled,
} from "./connection-form.tsx";

const CONNECTIONS_ADDRESS = "/api/agent/connections";
const PAUSE_MS = 30_000;

export interface Connection {
  readonly id: string;
  readonly provider: CalledProvider;
  readonly name: string;
  readonly state: "active" | "refused";
  readonly checked_at: string | null;
  readonly problem: string | null;
}

interface Provider {
  readonly provider: CalledProvider;
  readonly credentials: readonly CredentialField[];
}

interface Connections {
  readonly connections: readonly Connection[];
  readonly providers: readonly Provider[];
}

/** The user's connections to providers, as they were last heard of. */
export function useConnections() {
  return useLive<Connections>(CONNECTIONS_ADDRESS, PAUSE_MS);
}

/** The name of a connection; until it is known, its id. */
export function ConnectionName({ id }: { id: string }) {
  const { data } = useConnections();
  return data?.connections.find((connection) => connection.id === id)?.name ?? id;
}

/** The accounts and regions of providers that are called for the user. */
export function ConnectionsCard() {
  const { data, refresh } = useConnections();
  const { connections, connectionsHint, noConnections, loading } = words.value;
  return (
    <section class="card">
      <h2>{connections}</h2>
      <p class="faint">{connectionsHint}</p>
      {data === null && <p class="faint">{loading}</p>}
      {data?.connections.length === 0 && <p>{noConnections}</p>}
      <ul class="channels">
        {data?.connections.map((connection) => (
          <ConnectionRow
            key={connection.id}
            connection={connection}
            fields={fieldsOf(data.providers, connection.provider)}
            onChange={refresh}
          />
        ))}
      </ul>
      {data !== null && <AddConnection providers={data.providers} onAdded={refresh} />}
    </section>
  );
}

function fieldsOf(providers: readonly Provider[], kind: CalledProvider): readonly CredentialField[] {
  return providers.find(({ provider }) => provider === kind)?.credentials ?? [];
}

function ConnectionRow({
  connection: { id, provider, name, state, problem, checked_at },
  fields,
  onChange,
}: {
  connection: Connection;
  fields: readonly CredentialField[];
  onChange: () => void;
}) {
  const [edited, setEdited] = useState<"name" | "credentials" | null>(null);
  const { connectionState, connectionChecked, neverChecked, of, done } = words.value;
  const address = `${CONNECTIONS_ADDRESS}/${id}`;
  const onCheck = async () => {
    await doAndSay(
      () => ask<Connection>("POST", `${address}/check`),
      (checked) => checked.problem ?? words.value.connectionWorks(name),
    );
    onChange();
  };
  const onDelete = async () => {
    const { deleteConnectionQuestion, deleteConnectionStakes } = words.value;
    if (!(await confirmed(deleteConnectionQuestion(name), deleteConnectionStakes, words.value.delete)))
      return;
    await doAndSay(
      () => ask("DELETE", address),
      () => done.saved,
    );
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
    <li class="connection">
      <span>
        <b>{name}</b> <span class="faint">{words.value.providers[provider]}</span>
      </span>
      <span class={state === "refused" ? "refused" : "faint"}>
        {connectionState[state]}
        {" · "}
        {checked_at === null ? neverChecked : connectionChecked(dateTime(checked_at, language.value))}
        {problem !== null && <span class="problem">{problem}</span>}
      </span>
      <span class="buttons">
        {action(words.value.check, onCheck)}
        {action(words.value.rename, () => setEdited("name"))}
        {action(words.value.replaceCredentials, () => setEdited("credentials"))}
        {action(words.value.delete, onDelete, "danger")}
      </span>
      {edited === "name" && <Rename name={name} onSave={save} onEnd={() => setEdited(null)} />}
      {edited === "credentials" && (
        <Replace id={id} fields={fields} onSave={save} onEnd={() => setEdited(null)} />
      )}
    </li>
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

function AddConnection({ providers, onAdded }: { providers: readonly Provider[]; onAdded: () => void }) {
  const [chosen, setChosen] = useState<CalledProvider>("vast");
  const [name, setName] = useState("");
  const [given, setGiven] = useState<Credentials>({});
  const fields = fieldsOf(providers, chosen);
  const labels = words.value.fields;
  const submit = async (event: Event) => {
    event.preventDefault();
    const added = await doAndSay(
      () => ask("POST", CONNECTIONS_ADDRESS, { provider: chosen, name, credentials: filled(fields, given) }),
      () => words.value.done.saved,
    );
    if (!added) return;
    setName("");
    setGiven({});
    onAdded();
  };
  return (
    <form class="inline" onSubmit={submit}>
      <label>
        <span>{labels.provider}</span>
        <select
          value={chosen}
          onChange={({ currentTarget }) => {
            const kind = providers.find(({ provider }) => provider === currentTarget.value)?.provider;
            if (kind === undefined) return;
            setChosen(kind);
            setGiven({});
          }}
        >
          {providers.map(({ provider }) => (
            <option key={provider} value={provider}>
              {words.value.providers[provider]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{labels.name}</span>
        <input required value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <CredentialFields of="new-connection" fields={fields} given={given} onChange={setGiven} />
      <button type="submit" class="primary">
        {words.value.addConnection}
      </button>
    </form>
  );
}
