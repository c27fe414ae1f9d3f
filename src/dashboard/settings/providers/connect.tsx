import { useEffect, useRef, useState } from "preact/hooks";
import { CALLED_PROVIDERS, type CalledProvider } from "../../../lifecycle/model/provider.ts";
import { ask } from "../../api.ts";
import type { ApiError } from "../../api-error.ts";
import { Field, TextField } from "../../parts/field.tsx";
import { errorText, say } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import { words } from "../../words.ts";
import { type Credentials, filled, SECRET } from "../connection-form.tsx";
import { CONNECTIONS_ADDRESS, type Connection, type Provider } from "../connections.tsx";
import { Abilities, abilityTags } from "./abilities.tsx";
import { pastedFields } from "./pasted.ts";
import { providersWords } from "./words.ts";

/** The kinds of providers, each leading to its own form. */
export function KindChoices({ addressOf }: { addressOf: (kind: CalledProvider) => string }) {
  return (
    <ul class="kinds">
      {CALLED_PROVIDERS.map((kind) => (
        <li key={kind}>
          <a class="kind" href={addressOf(kind)}>
            <b>{words.value.providers[kind]}</b> <span class="faint">{abilityTags(kind)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** The form of one kind: its key is checked before it is kept. */
export function ConnectForm(props: {
  provider: Provider;
  /** So that another connection of the kind is told from it. */
  isFirst: boolean;
  back: string;
  onConnected: (connection: Connection) => void;
}) {
  const { provider, isFirst, back, onConnected } = props;
  const kind = provider.provider;
  const label = words.value.providers[kind];
  const [name, setName] = useState(isFirst ? label : "");
  const [given, setGiven] = useState<Credentials>({});
  const [refusal, setRefusal] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  const { connect } = providersWords.value;
  const send = async (verify: boolean) => {
    setBusy(true);
    setRefusal(null);
    try {
      const connected = await ask<Connection>("POST", `${CONNECTIONS_ADDRESS}?verify=${verify}`, {
        provider: kind,
        name,
        credentials: filled(provider.credentials, given),
      });
      say(verify ? connect.connected(name) : connect.keptUnchecked(name));
      onConnected(connected);
    } catch (error) {
      setRefusal(asApiError(error));
      setBusy(false);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void send(true);
  };
  const problemOf = (field: string) => {
    const issue = refusal?.issues.find(({ path }) => path === `body.${field}`);
    return issue === undefined ? null : <FieldProblem message={issue.message} />;
  };
  const enter = (field: string, text: string) =>
    setGiven({ ...given, ...(pastedFields(text, provider.credentials) ?? { [field]: text }) });
  return (
    <form ref={form} class="connect" onSubmit={submit}>
      <h3>{connect.of(label)}</h3>
      <p class="faint">{connect.keyHelp[kind]}</p>
      <div class="connect-columns">
        <div>
          <TextField
            name="connection-name"
            label={connect.name}
            hint={connect.nameHint}
            isRequired
            problem={problemOf("name")}
            value={name}
            onChange={setName}
          />
          {provider.credentials.map(({ name: field, required }) => (
            <Field
              key={field}
              label={words.value.credentialField(field)}
              isOptional={!required}
              problem={problemOf(`credentials.${field}`)}
            >
              {(attributes) => {
                const input = {
                  ...attributes,
                  required,
                  autocomplete: "off",
                  spellcheck: false,
                  value: given[field] ?? "",
                  onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
                    enter(field, currentTarget.value),
                };
                return SECRET.test(field) ? (
                  <input {...input} type="password" />
                ) : (
                  <input {...input} type="text" />
                );
              }}
            </Field>
          ))}
          <Refusal of={refusal} provider={label} isBusy={isBusy} onKeep={() => void send(false)} />
          <div class="buttons">
            <button type="submit" class="primary" disabled={isBusy}>
              {isBusy ? connect.checking(label) : connect.submit}
            </button>
            <a class="button" href={back}>
              {connect.cancel}
            </a>
          </div>
        </div>
        <div class="of-kind">
          <Abilities kind={kind} />
        </div>
      </div>
    </form>
  );
}

/** What is said against the form as a whole; a key that did not work can be kept all the same. */
function Refusal(props: { of: ApiError | null; provider: string; isBusy: boolean; onKeep: () => void }) {
  const { of: refusal, provider, isBusy, onKeep } = props;
  const { connect } = providersWords.value;
  if (refusal === null) return null;
  if (refusal.code !== "not_verified") {
    const isAtFields = refusal.issues.some(({ path }) => path.startsWith("body.credentials."));
    if (isAtFields) return null;
    return (
      <p class="wrong" role="alert">
        {errorText(refusal)}
      </p>
    );
  }
  return (
    <div class="wrong" role="alert">
      <p>
        {connect.refused(provider)} <span lang="en">{refusal.message}</span>
      </p>
      <p>
        <button type="button" class="link" disabled={isBusy} onClick={onKeep}>
          {connect.unchecked}
        </button>{" "}
        <span class="faint">{connect.uncheckedHint}</span>
      </p>
    </div>
  );
}

function FieldProblem({ message }: { message: string }) {
  return (
    <>
      {providersWords.value.connect.form} <span lang="en">({message})</span>
    </>
  );
}
