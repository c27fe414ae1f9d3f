import { useEffect, useState } from "preact/hooks";
import { CALLED_PROVIDERS, type ProviderKind } from "../../lifecycle/model/provider.ts";
import { ask } from "../api.ts";
import { fleet, refreshFleet } from "../fleet/fleet.ts";
import { Unwatched } from "../fleet/unwatched.tsx";
import { InstallCommand } from "../parts/install.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { instanceAddress } from "../route.ts";
import { useConnections } from "../settings/connections.tsx";
import { words } from "../words.ts";

const PROVIDERS: readonly ProviderKind[] = ["agent", ...CALLED_PROVIDERS, "none"];

interface Registered {
  readonly instance_id: string;
  readonly token: string;
}

/** Register an instance → one command for the machine → its first heartbeat. */
export function AddInstance() {
  const [first] = useState(() => fleet.peek()?.instances.length === 0);
  const [registered, setRegistered] = useState<Registered | null>(null);
  const { welcome, welcomeHint, addInstance } = words.value;
  return (
    <>
      <section class="card narrow">
        <h1>{first ? welcome : addInstance}</h1>
        {registered === null ? (
          <>
            <p class="faint">{welcomeHint}</p>
            <RegisterForm onRegistered={setRegistered} />
          </>
        ) : (
          <Waiting registered={registered} onAnother={() => setRegistered(null)} />
        )}
      </section>
      <Unwatched />
    </>
  );
}

function RegisterForm({ onRegistered }: { onRegistered: (registered: Registered) => void }) {
  const [fields, setFields] = useState({
    id: "",
    name: "",
    reference: "",
    hourlyCost: "",
    hibernatedCost: "",
  });
  const [provider, setProvider] = useState<ProviderKind>("agent");
  const [connection, setConnection] = useState<string | null>(null);
  const labels = words.value.fields;
  const change = (field: keyof typeof fields) => (event: { currentTarget: HTMLInputElement }) =>
    setFields({ ...fields, [field]: event.currentTarget.value });
  const dollars = (field: "hourlyCost" | "hibernatedCost") => (
    <label>
      <span>
        {labels[field]} <span class="faint">({labels.optional})</span>
      </span>
      <input type="number" min={0} step="any" name={field} value={fields[field]} onInput={change(field)} />
    </label>
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    await doAndSay(
      async () => {
        const answer = await ask<Registered>("POST", "/api/agent/instances", {
          instance_id: fields.id.trim(),
          ...(fields.name.trim() === "" ? {} : { name: fields.name.trim() }),
          provider,
          ...(isCalled(provider) ? { connection, provider_ref: textOrNull(fields.reference) } : {}),
          hourly_cost: numberOrNull(fields.hourlyCost),
          hibernated_hourly_cost: numberOrNull(fields.hibernatedCost),
        });
        onRegistered(answer);
        refreshFleet();
      },
      () => words.value.status.pending,
    );
  };
  return (
    <form onSubmit={submit}>
      <label>
        <span>{labels.id}</span>
        <input name="id" required autocomplete="off" value={fields.id} onInput={change("id")} />
      </label>
      <label>
        <span>
          {labels.name} <span class="faint">({labels.optional})</span>
        </span>
        <input name="name" autocomplete="off" value={fields.name} onInput={change("name")} />
      </label>
      <label>
        <span>{labels.provider}</span>
        <select
          name="provider"
          value={provider}
          onChange={(event) => {
            const chosen = PROVIDERS.find((kind) => kind === event.currentTarget.value);
            if (chosen === undefined) return;
            setProvider(chosen);
            setConnection(null);
          }}
        >
          {PROVIDERS.map((kind) => (
            <option key={kind} value={kind}>
              {words.value.providers[kind]}
            </option>
          ))}
        </select>
      </label>
      {isCalled(provider) && (
        <div class="pair">
          <ConnectionChoice provider={provider} chosen={connection} onChoose={setConnection} />
          <label>
            <span>
              {labels.providerRef} <span class="faint">({labels.optional})</span>
            </span>
            <input
              name="reference"
              autocomplete="off"
              placeholder={fields.id}
              value={fields.reference}
              onInput={change("reference")}
            />
          </label>
        </div>
      )}
      <div class="pair">
        {dollars("hourlyCost")}
        {dollars("hibernatedCost")}
      </div>
      <div class="buttons">
        <button type="submit" class="primary">
          {words.value.register}
        </button>
      </div>
    </form>
  );
}

/** By which of the user's connections of this kind; the first one, unless another is chosen. */
function ConnectionChoice({
  provider,
  chosen,
  onChoose,
}: {
  provider: ProviderKind;
  chosen: string | null;
  onChoose: (id: string) => void;
}) {
  const { data } = useConnections();
  const { fields, notConnected, settings } = words.value;
  const connections = data?.connections.filter((each) => each.provider === provider) ?? [];
  const selected = connections.find(({ id }) => id === (chosen ?? provider)) ?? connections[0];
  useEffect(() => {
    if (selected !== undefined && selected.id !== chosen) onChoose(selected.id);
  }, [selected, chosen, onChoose]);
  if (data !== null && connections.length === 0) {
    return (
      <p>
        {notConnected} <a href="#/settings">{settings}</a>
      </p>
    );
  }
  return (
    <label>
      <span>{fields.connection}</span>
      <select
        name="connection"
        value={selected?.id ?? ""}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {connections.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function isCalled(provider: ProviderKind): boolean {
  return CALLED_PROVIDERS.some((kind) => kind === provider);
}

function textOrNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

function Waiting({ registered, onAnother }: { registered: Registered; onAnother: () => void }) {
  const { instance_id, token } = registered;
  const live = fleet.value?.instances.find((each) => each.instance_id === instance_id);
  const arrived = live !== undefined && live.last_heartbeat !== null;
  return (
    <>
      <h2>{words.value.runThis}</h2>
      <InstallCommand instanceId={instance_id} token={token} />
      <p role="status" class={arrived ? "arrived" : "waiting"}>
        {arrived ? words.value.arrived(live.name) : words.value.waiting}
      </p>
      <div class="buttons">
        <button type="button" onClick={onAnother}>
          {words.value.addAnother}
        </button>
        <a class="button primary" href={instanceAddress(instance_id)}>
          {words.value.openInstance}
        </a>
      </div>
    </>
  );
}

function numberOrNull(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
