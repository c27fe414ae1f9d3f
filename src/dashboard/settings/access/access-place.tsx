/** Who can sign in to the account. */
export function AccessPlace() {
  return null;
}
