import { useState } from "preact/hooks";
import { settingsAddress } from "../../address.ts";
import { useLive } from "../../poll.ts";
import { query } from "../../route.ts";
import { may } from "../../session.ts";
import { words } from "../../words.ts";
import { type Connection, fieldsOf, useConnections } from "../connections.tsx";
import { ConnectForm, KindChoices } from "./connect.tsx";
import { ConnectionCard } from "./connection-card.tsx";
import { type Inventory, UNWATCHED, watchable } from "./inventory.ts";
import { listNow } from "./list-now.ts";
import "./providers.css";
import { providersWords } from "./words.ts";

const HERE = settingsAddress("providers");

/** A list is made every quarter of an hour. */
const INVENTORY_PAUSE_MS = 60_000;

/** The accounts and regions of providers that are called for the user. */
export function ProvidersPart() {
  const { data, refresh } = useConnections();
  const { data: inventory, refresh: refreshInventory } = useLive<Inventory>(UNWATCHED, INVENTORY_PAUSE_MS);
  /** The connection that was made just now. */
  const [made, setMade] = useState<string | null>(null);
  const { title, hint, none, connect } = providersWords.value;
  const refreshAll = () => {
    refresh();
    refreshInventory();
  };
  const onConnected = async (connection: Connection) => {
    setMade(connection.id);
    location.hash = HERE;
    refresh();
    await listNow(connection);
    refreshInventory();
  };
  if (data === null) return <p class="faint">{words.value.loading}</p>;
  const { connections, providers } = data;
  const asked = providers.find(({ provider }) => provider === query.value.get("connect"));
  return (
    <section class="card providers">
      <h2>{title}</h2>
      <p class="faint">{hint}</p>
      {connections.length === 0 && <p class="obstacle">{none}</p>}
      <ul class="provider-cards">
        {connections.map((connection) => (
          <ConnectionCard
            key={`${connection.id} ${made === connection.id}`}
            connection={connection}
            fields={fieldsOf(providers, connection.provider)}
            unwatched={inventory === null ? null : watchable(inventory.machines, connection.id)}
            listing={inventory?.connections.find((each) => each.connection === connection.id) ?? null}
            isOpen={made === connection.id}
            onChange={refreshAll}
          />
        ))}
      </ul>
      {may("owner") &&
        (asked === undefined ? (
          <>
            <h3>{connections.length === 0 ? connect.title : connect.another}</h3>
            <KindChoices addressOf={(kind) => `${HERE}?connect=${kind}`} />
          </>
        ) : (
          <ConnectForm
            key={asked.provider}
            provider={asked}
            isFirst={connections.every(({ provider }) => provider !== asked.provider)}
            back={HERE}
            onConnected={onConnected}
          />
        ))}
    </section>
  );
}
