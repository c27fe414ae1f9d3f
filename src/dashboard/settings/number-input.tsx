/** A number that is not below zero; the empty text is none. Null, a value of its own, is entered elsewhere. */
export function NumberInput(props: {
  attributes: Readonly<Record<string, string | boolean | undefined>>;
  isNull: boolean;
  value: string | number;
  placeholder: string;
  onText: (text: string) => void;
}) {
  const { attributes, isNull, value, placeholder, onText } = props;
  return (
    <input
      {...attributes}
      type="number"
      min={0}
      step="any"
      disabled={isNull}
      placeholder={placeholder}
      value={value}
      onInput={({ currentTarget }) => onText(currentTarget.value)}
    />
  );
}
