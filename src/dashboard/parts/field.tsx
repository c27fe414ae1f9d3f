import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { words } from "../words.ts";

/** A field of a form: its name, what helps to fill it in, and what is wrong with it. */

interface Attributes {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string | undefined;
}

export function Field({
  label,
  isOptional = false,
  hint = null,
  problem = null,
  children,
}: {
  label: string;
  isOptional?: boolean;
  hint?: string | null;
  problem?: ComponentChildren;
  children: (attributes: Attributes) => ComponentChildren;
}) {
  const id = useId();
  const [hintId, problemId] = [`${id}-hint`, `${id}-problem`];
  const isWrong = problem !== null;
  const described = [hint === null ? null : hintId, isWrong ? problemId : null].filter(
    (each) => each !== null,
  );
  return (
    <div class="entry-of-form">
      <label for={id}>
        <span>
          {label} {isOptional && <span class="faint">({words.value.fields.optional})</span>}
        </span>
      </label>
      {children({
        id,
        "aria-invalid": isWrong,
        "aria-describedby": described.length === 0 ? undefined : described.join(" "),
      })}
      {hint !== null && (
        <p id={hintId} class="faint">
          {hint}
        </p>
      )}
      {isWrong && (
        <p id={problemId} class="wrong" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** A field for text or a number. */
export function TextField({
  name,
  value,
  onChange,
  type = "text",
  isRequired = false,
  ...field
}: Omit<Parameters<typeof Field>[0], "children"> & {
  name: string;
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "number";
  isRequired?: boolean;
}) {
  return (
    <Field {...field}>
      {(attributes) => {
        const input = {
          ...attributes,
          name,
          autocomplete: "off",
          required: isRequired,
          value,
          onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => onChange(currentTarget.value),
        };
        return type === "number" ? (
          <input {...input} type="number" min={0} max={1_000_000} step="any" />
        ) : (
          <input {...input} type="text" />
        );
      }}
    </Field>
  );
}
