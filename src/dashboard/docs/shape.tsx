import { useState } from "preact/hooks";
import { choicesOf, type Field, fieldsOf, limitsText, nameOf, type Schema, typeText } from "./document.ts";
import { shapes } from "./reference.ts";
import { Text } from "./text.tsx";
import { docsWords } from "./words.ts";

/** The fields of a shape, each with what it may hold; those within it are drawn once they are opened. */
export function Shape({ schema }: { schema: Schema }) {
  const choices = choicesOf(schema);
  return (
    <>
      {choices.map((choice, index) => (
        // Choices have no names of their own, and never change their order.
        <Fields key={nameOf(choice) ?? index} schema={choice} isNamed={choices.length > 1} />
      ))}
    </>
  );
}

function Fields({ schema, isNamed }: { schema: Schema; isNamed: boolean }) {
  const fields = fieldsOf(schema, shapes.value);
  if (fields.length === 0) return <p class="type">{typeText(schema)}</p>;
  return (
    <>
      {isNamed && <p class="type">{typeText(schema)}</p>}
      <dl class="fields">
        {fields.map((field) => (
          <FieldLine key={field.name} field={field} />
        ))}
      </dl>
    </>
  );
}

function FieldLine({ field: { name, schema, isRequired } }: { field: Field }) {
  const { required, defaultsTo } = docsWords.value;
  const limits = limitsText(schema);
  const { description, default: left } = schema;
  return (
    <div>
      <dt>
        <code>{name}</code>
        {isRequired && <span class="required">{required}</span>}
      </dt>
      <dd>
        <span class="type">{typeText(schema)}</span>
        {limits !== "" && <span class="limits"> · {limits}</span>}
        {left !== undefined && <span class="limits"> · {defaultsTo(JSON.stringify(left))}</span>}
        {typeof description === "string" && (
          <p>
            <Text text={description} />
          </p>
        )}
        <Inner schema={schema} />
      </dd>
    </div>
  );
}

function Inner({ schema }: { schema: Schema }) {
  const [isOpen, setOpen] = useState(false);
  const hasFields = choicesOf(schema).some((choice) => fieldsOf(choice, shapes.value).length > 0);
  if (!hasFields) return null;
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{typeText(schema)}</summary>
      {isOpen && <Shape schema={schema} />}
    </details>
  );
}
