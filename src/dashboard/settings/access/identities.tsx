import { ask } from "../../api.ts";
import { confirmed } from "../../parts/dialog.tsx";
import { doAndSay } from "../../parts/notice.tsx";
import { words } from "../../words.ts";
import type { Identity, Person } from "./answers.ts";
import { agoOf } from "./times.ts";
import { accessWords } from "./words.ts";

interface IdentitiesProps {
  readonly person: Person;
  /** What the service's OpenID provider is called; null where there is none, or it is not known. */
  readonly provider: string | null;
  readonly onChange: () => void;
}

/** By what a person is known when they sign in, and what they may connect. */
export function Identities({ person, provider, onChange }: IdentitiesProps) {
  const { identities, this: isYou } = person;
  if (identities === null) return null;
  const isConnected = identities.some(({ kind, name }) => kind === "openid" && name === provider);
  const { connect, connectHint } = accessWords.value;
  return (
    <>
      {identities.length > 0 && (
        <ul class="identities">
          {identities.map((identity) => (
            <IdentityRow key={identity.id} personId={person.id} identity={identity} onChange={onChange} />
          ))}
        </ul>
      )}
      {isYou && provider !== null && !isConnected && (
        <p class="connect-provider">
          <a class="button" href={CONNECT}>
            {connect(provider)}
          </a>{" "}
          <span class="faint">{connectHint(provider)}</span>
        </p>
      )}
    </>
  );
}

/** A link, since only the service's own page may lead there. */
const CONNECT = `/api/session/openid?connect=true&to=${encodeURIComponent("#/settings/access")}`;

function IdentityRow({
  personId,
  identity: { id, kind, name, since },
  onChange,
}: {
  personId: string;
  identity: Identity;
  onChange: () => void;
}) {
  const { knownBy, disconnect, disconnectQuestion, disconnectStakes, disconnected } = accessWords.value;
  const onDisconnect = async () => {
    if (!(await confirmed(disconnectQuestion(name), disconnectStakes[kind], disconnect))) return;
    await doAndSay(
      () => ask("DELETE", `/api/agent/people/${personId}/identities/${id}`),
      () => disconnected(name),
    );
    onChange();
  };
  return (
    <li>
      <span>{knownBy[kind](name, agoOf(since))}</span>
      <button type="button" class="link" aria-label={words.value.of(disconnect, name)} onClick={onDisconnect}>
        {disconnect}
      </button>
    </li>
  );
}
