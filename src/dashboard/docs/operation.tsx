import { useState } from "preact/hooks";
import { CopyBox } from "../parts/copy-box.tsx";
import { type Answer, type Content, curlOf, limitsText, type Operation, typeText } from "./document.ts";
import { chosen } from "./reference.ts";
import { Shape } from "./shape.tsx";
import { Text } from "./text.tsx";
import { Try } from "./try.tsx";
import { docsWords } from "./words.ts";

/** One operation: a line, and all that is to be known of it once it is opened. */
export function OperationPart({ operation }: { operation: Operation }) {
  const { id, method, path, summary } = operation;
  const [isOpened, setOpened] = useState(false);
  const isOpen = isOpened || chosen.value === id;
  return (
    <details
      id={id}
      class="operation"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpened(currentTarget.open)}
    >
      <summary>
        <span class={`method ${method.toLowerCase()}`}>{method}</span>
        <code>{path}</code>
        <span class="summary">{summary}</span>
      </summary>
      {isOpen && <Whole operation={operation} />}
    </details>
  );
}

function Whole({ operation }: { operation: Operation }) {
  const { id, summary, description, scopes, body, responses, method } = operation;
  const { tokenOf, open, inShell, linkTo, body: bodyTitle, answers, copy, copied } = docsWords.value;
  return (
    <div class="whole">
      <p>
        <Text text={description === "" ? `${summary}.` : description} />
      </p>
      <p class="faint">
        {scopes.length === 0 ? open : tokenOf(scopes.join(", "))}{" "}
        <a href={`#${id}`} aria-label={linkTo(id)}>
          #
        </a>
      </p>
      <Parameters operation={operation} />
      {body !== null && (
        <section>
          <h3>{bodyTitle}</h3>
          <Shape schema={body.schema} />
          <Example content={body} />
        </section>
      )}
      <section>
        <h3>{inShell}</h3>
        <CopyBox text={curlOf(operation, location.origin)} copy={copy} copied={copied} tabIndex={0} />
      </section>
      <section>
        <h3>{answers}</h3>
        {responses.map((response) => (
          <AnswerPart key={response.status} answer={response} />
        ))}
      </section>
      {method === "GET" && !scopes.includes("admin") && <Try operation={operation} />}
    </div>
  );
}

function Parameters({ operation: { parameters } }: { operation: Operation }) {
  const { parameters: title, required } = docsWords.value;
  if (parameters.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <dl class="fields">
        {parameters.map(({ name, place, isRequired, description, schema }) => (
          <div key={`${place} ${name}`}>
            <dt>
              <code>{name}</code>
              {isRequired && <span class="required">{required}</span>}
            </dt>
            <dd>
              <span class="type">{typeText(schema)}</span>
              <span class="limits"> · {[place, limitsText(schema)].filter(Boolean).join(", ")}</span>
              {description !== "" && (
                <p>
                  <Text text={description} />
                </p>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function AnswerPart({ answer: { status, description, content } }: { answer: Answer }) {
  // What is hoped for is shown at once.
  const isSuccess = status.startsWith("2");
  const [isOpen, setOpen] = useState(isSuccess);
  const line = (
    <>
      <b class={isSuccess ? "status good" : "status"}>{status}</b> <Text text={description} />
    </>
  );
  if (content === null) return <p class="answer">{line}</p>;
  return (
    <details class="answer" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{line}</summary>
      {isOpen && (
        <>
          <p class="type">
            {content.mediaType} · {typeText(content.schema)}
          </p>
          <Shape schema={content.schema} />
          <Example content={content} />
        </>
      )}
    </details>
  );
}

function Example({ content: { example } }: { content: Content }) {
  if (example === undefined) return null;
  const text = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  return (
    <>
      <h4>{docsWords.value.example}</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <pre tabIndex={0}>{text}</pre>
    </>
  );
}
