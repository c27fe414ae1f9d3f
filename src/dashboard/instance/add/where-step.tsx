import type { ComponentChildren } from "preact";
import { changeQuery, query } from "../../route.ts";
import { may } from "../../session.ts";
import type { Connection, Provider } from "../../settings/connections.tsx";
import { ConnectForm, KindChoices } from "../../settings/providers/connect.tsx";
import { listNow } from "../../settings/providers/list-now.ts";
import { words } from "../../words.ts";
import type { Place } from "./place.ts";
import { addWords } from "./words.ts";

const HERE = "#/add";

/** Where it is rented: a connection, a provider to connect, or nobody who is called. */
export function WhereStep(props: {
  connections: readonly Connection[];
  providers: readonly Provider[];
  /** How many machines nobody watches there; null while that is not known. */
  unwatchedAt: (connection: string) => number | null;
  onConnected: () => void;
}) {
  const { connections, providers, unwatchedAt, onConnected } = props;
  const { where } = addWords.value;
  const asked = providers.find(({ provider }) => provider === query.value.get("connect"));
  if (asked !== undefined) {
    return (
      <ConnectForm
        key={asked.provider}
        provider={asked}
        isFirst={connections.every(({ provider }) => provider !== asked.provider)}
        back={HERE}
        onConnected={async (connection) => {
          await listNow(connection);
          onConnected();
          changeQuery({ connect: null, where: connection.id }, "replace");
        }}
      />
    );
  }
  return (
    <>
      {connections.length > 0 && (
        <>
          <h3>{where.connected}</h3>
          <ul class="kinds">
            {connections.map((connection) => (
              <Choice
                key={connection.id}
                address={`${HERE}?where=${encodeURIComponent(connection.id)}`}
                name={connectionText(connection)}
              >
                {connection.state === "refused" ? (
                  <span class="refused">{where.refused}</span>
                ) : (
                  unwatchedText(unwatchedAt(connection.id))
                )}
              </Choice>
            ))}
          </ul>
        </>
      )}
      {may("owner") && (
        <>
          <h3>{where.another}</h3>
          <KindChoices addressOf={(kind) => `${HERE}?connect=${kind}`} />
        </>
      )}
      <h3>{where.anywhere}</h3>
      <ul class="kinds">
        <Choice address={`${HERE}?where=agent`} name={where.agent}>
          {where.agentHint}
        </Choice>
        <Choice address={`${HERE}?where=none`} name={where.none}>
          {where.noneHint}
        </Choice>
      </ul>
    </>
  );
}

function Choice(props: { address: string; name: string; children: ComponentChildren }) {
  return (
    <li>
      <a class="kind" href={props.address}>
        <b>{props.name}</b> <span class="faint">{props.children}</span>
      </a>
    </li>
  );
}

function unwatchedText(machines: number | null): string {
  return machines === null ? "" : addWords.value.where.unwatched(machines);
}

export function connectionText({ provider, name }: Connection): string {
  const of = words.value.providers[provider];
  return name === of || name === provider ? of : `${of} – ${name}`;
}

export function placeText({ provider, connection }: Place): string {
  const { agent, none } = addWords.value.where;
  if (connection !== null) return connectionText(connection);
  return provider === "none" ? none : agent;
}
