import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { price } from "../format.ts";
import { InstallCommand } from "../parts/install.tsx";
import { doAndSay } from "../parts/notice.tsx";
import { useLive } from "../poll.ts";
import { may } from "../session.ts";
import { language, words } from "../words.ts";
import { refreshFleet } from "./fleet.ts";
import { fleetWords } from "./words.ts";

/** A list is made every quarter of an hour. */
const PAUSE_MS = 5 * 60_000;

interface Machine {
  readonly connection: string;
  readonly ref: string;
  readonly name: string | null;
  readonly state: string;
  readonly gpu: string | null;
  readonly hourly_cost: number | null;
  readonly member_of: string | null;
  readonly vanished_at: string | null;
}

interface Inventory {
  readonly machines: readonly Machine[];
  readonly connections: readonly { readonly connection: string; readonly name: string }[];
}

interface Adopted {
  readonly connection: string;
  readonly ref: string;
  readonly instance_id: string;
  readonly token: string;
}

/** The machines of the user's accounts that bill and that nobody watches, and one button to watch them. */
export function Unwatched() {
  const { data, refresh } = useLive<Inventory>("/api/agent/inventory?watched=false&limit=1000", PAUSE_MS);
  const [adopted, setAdopted] = useState<readonly Adopted[]>([]);
  const machines = (data?.machines ?? []).filter(isBilling);
  if (machines.length === 0 && adopted.length === 0) return null;
  const names = new Map(data?.connections.map(({ connection, name }) => [connection, name]));
  const { title, watch, watched, install } = words.value.unwatchedMachines;
  const onWatch = async () => {
    await doAndSay(
      async () => {
        const answer = await ask<{ adopted: readonly Adopted[]; refused: readonly unknown[] }>(
          "POST",
          "/api/agent/inventory/adopt",
          { all: true },
        );
        setAdopted([...adopted, ...answer.adopted]);
        refreshFleet();
        return answer;
      },
      (answer) => {
        const adopted = machines.filter((machine) => answer.adopted.some((one) => isSame(one, machine)));
        const costs = adopted.length === 0 ? "" : ` ${total(adopted)}`;
        return `${watched(answer.adopted.length, answer.refused.length)}${costs}`;
      },
    );
    refresh();
  };
  return (
    <section class="card unwatched">
      <header>
        <div>
          <h2>{title}</h2>
          {machines.length > 0 && <p>{total(machines)}</p>}
        </div>
        {machines.length > 0 && may("operator") && (
          <button type="button" class="primary" onClick={onWatch}>
            {watch}
          </button>
        )}
      </header>
      {machines.length > 0 && (
        <details>
          <summary>{fleetWords.value.whichUnwatched}</summary>
          <ul>
            {machines.map((machine) => (
              <li key={`${machine.connection}/${machine.ref}`}>
                <b>{machine.name ?? machine.ref}</b>
                <span class="faint">
                  {[names.get(machine.connection), machine.gpu].filter(Boolean).join(" · ")}
                </span>
                <span>{hourly(machine.hourly_cost)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {adopted.length > 0 && <p>{install}</p>}
      {adopted.map(({ instance_id, token }) => (
        <details key={instance_id}>
          <summary>{instance_id}</summary>
          <InstallCommand instanceId={instance_id} token={token} />
        </details>
      ))}
    </section>
  );
}

function isSame(
  one: Pick<Machine, "connection" | "ref">,
  other: Pick<Machine, "connection" | "ref">,
): boolean {
  return one.connection === other.connection && one.ref === other.ref;
}

function isBilling({ state, member_of, vanished_at }: Machine): boolean {
  return (state === "running" || state === "starting") && member_of === null && vanished_at === null;
}

function hourly(dollars: number | null): string {
  const { anHour, unwatchedMachines } = words.value;
  return dollars === null ? unwatchedMachines.unknownPrice : anHour(price(dollars, language.value));
}

/** A price that is not known is not nothing. */
function total(machines: readonly Machine[]): string {
  const { allKnown, someKnown, noneKnown } = words.value.unwatchedMachines;
  const priced = machines.flatMap(({ hourly_cost }) => (hourly_cost === null ? [] : [hourly_cost]));
  const unknown = machines.length - priced.length;
  const sum = price(
    priced.reduce((all, one) => all + one, 0),
    language.value,
  );
  if (priced.length === 0) return noneKnown(machines.length);
  return unknown === 0 ? allKnown(machines.length, sum) : someKnown(machines.length, sum, unknown);
}
