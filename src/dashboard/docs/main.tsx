import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { chooseLanguage, isLanguage, LANGUAGES, language } from "../language.ts";
import type { Group, ReferenceDocument } from "./document.ts";
import { OperationPart } from "./operation.tsx";
import { chosen, found, isUnreachable, load, reference, wanted } from "./reference.ts";
import { Text } from "./text.tsx";
import { docsWords } from "./words.ts";
import "./docs.css";

/** The API reference, from the description that the routes themselves give. */

function Reference() {
  const { title } = docsWords.value;
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.title = `${title} · Dumont Agent System`;
  }, [title]);
  return (
    <>
      <header class="bar">
        <a class="brand" href="/" title={docsWords.value.backToPage}>
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>Dumont</span>
        </a>
        <h1>{title}</h1>
        <label class="search">
          <span class="hidden">{docsWords.value.search}</span>
          <input
            type="search"
            placeholder={docsWords.value.searchHint}
            value={wanted.value}
            onInput={({ currentTarget }) => {
              wanted.value = currentTarget.value;
            }}
          />
        </label>
        <span class="end">
          <a href="/openapi.json">{docsWords.value.document}</a>
          <LanguageChoice />
        </span>
      </header>
      {reference.value === null ? (
        <main>
          {isUnreachable.value ? (
            <p role="alert">{docsWords.value.unreachable}</p>
          ) : (
            <p class="faint">{docsWords.value.loading}</p>
          )}
        </main>
      ) : (
        <div class="columns">
          <Groups />
          <main>
            <Content about={reference.value} />
          </main>
        </div>
      )}
    </>
  );
}

function Groups() {
  return (
    <nav aria-label={docsWords.value.operations}>
      <ul>
        {found.value.map(({ name, operations }) => (
          <li key={name}>
            <a href={`#group-${name}`}>{name}</a> <span class="faint">{operations.length}</span>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** They fill a window. The others are drawn once these are seen. */
const GROUPS_AT_FIRST = 2;

function Content({ about: { description, version } }: { about: ReferenceDocument }) {
  const [isWhole, setWhole] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTimeout(() => setWhole(true)));
    return () => cancelAnimationFrame(frame);
  }, []);
  // Once it is drawn, the browser finds what the address names.
  useEffect(() => document.getElementById(chosen.value)?.scrollIntoView(), [isWhole, chosen.value]);
  return (
    <>
      <p class="about">
        <Text text={description} /> <span class="faint">Version {version}</span>
      </p>
      {found.value.length === 0 && <p role="status">{docsWords.value.none}</p>}
      {(isWhole ? found.value : found.value.slice(0, GROUPS_AT_FIRST)).map((group) => (
        <GroupPart key={group.name} group={group} />
      ))}
    </>
  );
}

function GroupPart({ group: { name, operations } }: { group: Group }) {
  return (
    <section id={`group-${name}`} aria-labelledby={`title-${name}`}>
      <h2 id={`title-${name}`}>{name}</h2>
      {operations.map((operation) => (
        <OperationPart key={operation.id} operation={operation} />
      ))}
    </section>
  );
}

function LanguageChoice() {
  return (
    <select
      aria-label={docsWords.value.language}
      value={language.value}
      onChange={({ currentTarget }) => {
        if (isLanguage(currentTarget.value)) chooseLanguage(currentTarget.value);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

const page = document.getElementById("reference");
if (page !== null) render(<Reference />, page);
void load();
