import { useState } from "preact/hooks";
import { words } from "../words.ts";
import type { CredentialField } from "./connections.tsx";

/** The fields of a provider's credentials, as the API names them. */

export type Credentials = Readonly<Record<string, string>>;

/** What must not be seen over a shoulder. An id of a key is no secret. */
export const SECRET = /secret|password|token|(^|_)key$/;

export function CredentialFields({
  of,
  fields,
  given,
  onChange,
}: {
  /** Whose they are: the fields of two forms must not have the same id. */
  of: string;
  fields: readonly CredentialField[];
  given: Credentials;
  onChange: (given: Credentials) => void;
}) {
  const { credentialField, fields: labels } = words.value;
  return (
    <>
      {fields.map(({ name, required }) => {
        const input = {
          id: `${of}-${name}`,
          required,
          autocomplete: "off",
          value: given[name] ?? "",
          onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
            onChange({ ...given, [name]: currentTarget.value }),
        };
        return (
          <label key={name} for={input.id}>
            <span>
              {credentialField(name)} {!required && <span class="faint">({labels.optional})</span>}
            </span>
            {SECRET.test(name) ? <input {...input} type="password" /> : <input {...input} type="text" />}
          </label>
        );
      })}
    </>
  );
}

/** What was entered, without what was left empty. */
export function filled(fields: readonly CredentialField[], given: Credentials): Credentials {
  const entries = fields.map(({ name }) => [name, given[name]?.trim() ?? ""] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

/** One line to change a connection in; `onSubmit` answers whether it was done. */
export function ChangeForm({
  children,
  onSubmit,
  onEnd,
}: {
  children: preact.ComponentChildren;
  onSubmit: () => Promise<boolean>;
  onEnd: () => void;
}) {
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const isDone = await onSubmit();
    setBusy(false);
    if (isDone) onEnd();
  };
  return (
    <form class="inline" onSubmit={submit}>
      {children}
      <span class="buttons">
        <button type="submit" class="primary" disabled={isBusy}>
          {words.value.save}
        </button>
        <button type="button" onClick={onEnd}>
          {words.value.cancel}
        </button>
      </span>
    </form>
  );
}
