/** The account's name, language and time zone. */
export function AccountPlace() {
  return null;
}
