import { chooseLanguage, isLanguage, LANGUAGES, language, words } from "../words.ts";

export function LanguageChoice() {
  return (
    <select
      class="language"
      aria-label={words.value.language}
      value={language.value}
      onChange={({ currentTarget }) => {
        if (isLanguage(currentTarget.value)) chooseLanguage(currentTarget.value);
      }}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </select>
  );
}
