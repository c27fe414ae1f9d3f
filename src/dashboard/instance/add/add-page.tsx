import { useState } from "preact/hooks";
import { fleet, refreshFleet } from "../../fleet/fleet.ts";
import { Unwatched } from "../../fleet/unwatched.tsx";
import { useLive } from "../../poll.ts";
import { changeQuery, query } from "../../route.ts";
import { may } from "../../session.ts";
import { useConnections } from "../../settings/connections.tsx";
import { type Inventory, isListed, UNWATCHED, watchable } from "../../settings/providers/inventory.ts";
import { words } from "../../words.ts";
import "../../settings/providers/providers.css";
import "./add.css";
import { Step } from "./add-step.tsx";
import { CommandStep } from "./command-step.tsx";
import { MachineForm } from "./machine-form.tsx";
import { placeIn } from "./place.ts";
import { placeText, WhereStep } from "./where-step.tsx";
import { addWords } from "./words.ts";

/** A list is made every quarter of an hour. */
const INVENTORY_PAUSE_MS = 60_000;

/** Provider → machine → what will protect it → one command → its first heartbeat. What was chosen stands in the address. */
export function AddPage() {
  const [isFirst] = useState(() => fleet.peek()?.instances.length === 0);
  /** The tokens that were made here, by instance: they are shown once. */
  const [tokens, setTokens] = useState<ReadonlyMap<string, string>>(new Map());
  const { data, refresh } = useConnections();
  const { data: inventory, refresh: refreshInventory } = useLive<Inventory>(UNWATCHED, INVENTORY_PAUSE_MS);
  const { title, first, hint, where, machine, command, viewer } = addWords.value;
  const added = query.value.get("added");
  const place = data === null ? null : placeIn(query.value.get("where"), data.connections);
  const isChosen = place !== null || added !== null;
  return (
    <>
      <section class="card narrow add">
        <h1>{isFirst ? first : title}</h1>
        <p class="faint">{hint}</p>
        {!may("operator") && <p class="obstacle">{viewer}</p>}
        {data === null && <p class="faint">{words.value.loading}</p>}
        {data !== null && may("operator") && (
          <div class="steps">
            {added === null && (
              <Step
                number={1}
                title={where.title}
                answer={place === null ? null : placeText(place)}
                onChange={() => changeQuery({ where: null, machine: null, several: null })}
              >
                {place === null && (
                  <WhereStep
                    connections={data.connections}
                    providers={data.providers}
                    unwatchedAt={(connection) =>
                      inventory !== null && isListed(inventory, connection)
                        ? watchable(inventory.machines, connection).length
                        : null
                    }
                    onConnected={() => {
                      refresh();
                      refreshInventory();
                    }}
                  />
                )}
              </Step>
            )}
            {place !== null && added === null && (
              <MachineForm
                key={query.value.get("where")}
                place={place}
                machines={
                  place.connection === null || inventory === null
                    ? null
                    : watchable(inventory.machines, place.connection.id)
                }
                onLooked={refreshInventory}
                onAdded={({ instance_id, token }) => {
                  setTokens(new Map([...tokens, [instance_id, token]]));
                  refreshFleet();
                  refreshInventory();
                  changeQuery({ where: null, machine: null, added: instance_id }, "replace");
                }}
              />
            )}
            {added !== null && (
              <CommandStep key={added} instanceId={added} token={tokens.get(added) ?? null} />
            )}
            {!isChosen && (
              <>
                <Step number={2} title={machine.title} />
                <Step number={3} title={addWords.value.protection.title} />
                <Step number={4} title={command.title} />
              </>
            )}
          </div>
        )}
      </section>
      {!isChosen && !query.value.has("connect") && (
        <div class="narrow">
          <Unwatched />
        </div>
      )}
    </>
  );
}
