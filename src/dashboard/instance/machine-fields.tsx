import { CALLED_PROVIDERS } from "../../lifecycle/model/provider.ts";
import { Field, TextField } from "../parts/field.tsx";
import { type Connection, useConnections } from "../settings/connections.tsx";
import { words } from "../words.ts";
import { type ChosenMachine, calledOf, type WithoutSnapshot } from "./machine.ts";
import { partNames, withPart } from "./reference.ts";
import type { Refusals } from "./refusals.tsx";

/** Where a machine is rented, and what it is known by there: exactly what its provider needs. */

const UNCALLED = ["agent", "none"] as const;

export function MachineFields({
  chosen,
  refusals,
  onChange,
}: {
  chosen: ChosenMachine;
  refusals: Refusals;
  onChange: (chosen: ChosenMachine) => void;
}) {
  const { data } = useConnections();
  const connections = data?.connections ?? [];
  const kind = calledOf(chosen);
  const { instances, providers } = words.value;
  const { where, yourConnections, withoutProvider, notConnectedYet } = instances;
  const unconnected = CALLED_PROVIDERS.filter((each) =>
    connections.every(({ provider }) => provider !== each),
  );
  const isGone = data !== null && chosen.connection !== null && of(connections, chosen) === undefined;
  const choose = (value: string) => {
    const connection = connections.find(({ id }) => id === value);
    const provider =
      connection?.provider ?? [...UNCALLED, ...CALLED_PROVIDERS].find((each) => each === value) ?? "agent";
    const parts = provider === chosen.provider ? chosen.parts : {};
    onChange({ provider, connection: connection?.id ?? null, parts });
  };
  return (
    <>
      <Field label={where} hint={hintOf(chosen)} problem={refusals.machine ?? null}>
        {(attributes) => (
          <select
            {...attributes}
            name="machine"
            value={isGone ? chosen.provider : (chosen.connection ?? chosen.provider)}
            onChange={({ currentTarget }) => choose(currentTarget.value)}
          >
            {connections.length > 0 && (
              <optgroup label={yourConnections}>
                {connections.map((connection) => (
                  <option key={connection.id} value={connection.id}>
                    {connectionText(connection)}
                  </option>
                ))}
              </optgroup>
            )}
            <optgroup label={withoutProvider}>
              {UNCALLED.map((each) => (
                <option key={each} value={each}>
                  {providers[each]}
                </option>
              ))}
            </optgroup>
            {data !== null && unconnected.length > 0 && (
              <optgroup label={notConnectedYet}>
                {unconnected.map((each) => (
                  <option key={each} value={each}>
                    {providers[each]}
                  </option>
                ))}
              </optgroup>
            )}
          </select>
        )}
      </Field>
      <Obstacle chosen={chosen} isGone={isGone} connection={of(connections, chosen)} />
      {kind !== null && chosen.connection !== null && (
        <ReferenceFields chosen={chosen} refusals={refusals} onChange={onChange} />
      )}
    </>
  );
}

function hintOf({ provider }: ChosenMachine): string | null {
  const { agentHint, noneHint } = words.value.instances;
  if (provider === "agent") return agentHint;
  return provider === "none" ? noneHint : null;
}

function connectionText({ provider, name, state }: Connection): string {
  const of = words.value.providers[provider];
  const text = name === of || name === provider ? of : `${of} – ${name}`;
  return state === "refused" ? words.value.instances.refusedConnection(text) : text;
}

/** Whether a machine there can be named at all. */
export function canBeNamed(chosen: ChosenMachine): boolean {
  return calledOf(chosen) === null || chosen.connection !== null;
}

function of(connections: readonly Connection[], { connection }: ChosenMachine): Connection | undefined {
  return connections.find(({ id }) => id === connection);
}

/** What has to be done before a machine there can be watched, and where. `isGone`: its connection was removed. */
function Obstacle({
  chosen,
  isGone,
  connection,
}: {
  chosen: ChosenMachine;
  isGone: boolean;
  connection: Connection | undefined;
}) {
  const { notConnected, connectFirst, isRefused, renewFirst } = words.value.instances;
  if (isGone || !canBeNamed(chosen)) {
    return (
      <p class="obstacle" role="status">
        {notConnected(words.value.providers[chosen.provider])}{" "}
        <a href="#/settings/providers">{connectFirst}</a>
      </p>
    );
  }
  if (connection?.state !== "refused") return null;
  return (
    <p class="obstacle" role="status">
      {isRefused} <a href="#/settings/providers">{renewFirst}</a>
    </p>
  );
}

export function ReferenceFields({
  chosen,
  refusals,
  onChange,
}: {
  chosen: ChosenMachine;
  refusals: Refusals;
  onChange: (chosen: ChosenMachine) => void;
}) {
  const kind = calledOf(chosen);
  if (kind === null) return null;
  const { parts, hint } = words.value.instances.reference(kind);
  const names = partNames(kind);
  return (
    <div class="reference">
      {names.map((name, index) => {
        const isLast = index === names.length - 1;
        return (
          <TextField
            key={`${kind} ${name}`}
            name={`reference-${name}`}
            label={parts[name] ?? name}
            hint={isLast ? hint : null}
            problem={isLast ? (refusals.reference ?? null) : null}
            isRequired
            value={chosen.parts[name] ?? ""}
            onChange={(text) => onChange({ ...chosen, parts: withPart(kind, chosen.parts, name, text) })}
          />
        );
      })}
    </div>
  );
}

/** What is done with a silent machine in place of a snapshot that its provider can't take. */
export function SnapshotChoice({
  provider,
  afterDays,
  chosen,
  problem,
  onChoose,
}: {
  provider: ChosenMachine["provider"];
  afterDays: number;
  chosen: WithoutSnapshot;
  problem: Refusals["policy"];
  onChoose: (choice: WithoutSnapshot) => void;
}) {
  const { withoutSnapshots, neverDeleted, deletedWithout } = words.value.instances;
  const option = (choice: WithoutSnapshot, text: string) => (
    <label>
      <input
        type="radio"
        name="without-snapshot"
        value={choice}
        checked={chosen === choice}
        onChange={() => onChoose(choice)}
      />{" "}
      {text}
    </label>
  );
  return (
    <fieldset class="snapshots">
      <legend>{withoutSnapshots(words.value.providers[provider], afterDays)}</legend>
      {option("never", neverDeleted)}
      {option("delete", deletedWithout)}
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}
