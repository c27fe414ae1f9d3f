/** One of a few, all in view; null: none of them. */
export function Choices<T extends string>(props: {
  label: string;
  choices: readonly T[];
  names: Readonly<Record<T, string>>;
  chosen: T | null;
  onChoose: (choice: T) => void;
}) {
  return (
    <fieldset class="choices">
      <legend class="hidden">{props.label}</legend>
      {props.choices.map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={props.chosen === choice}
          onClick={() => props.onChoose(choice)}
        >
          {props.names[choice]}
        </button>
      ))}
    </fieldset>
  );
}
