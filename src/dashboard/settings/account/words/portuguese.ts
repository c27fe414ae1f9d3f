import type { AccountWords } from "./english.ts";

export const portugueseAccount: AccountWords = {
  title: "Conta",
  hint: "Como ela se chama e como as mensagens são escritas.",
  onlyOwners: "Só um proprietário a muda.",
  name: "Nome",
  language: "Idioma das mensagens",
  languageHint:
    "Para alertas e relatórios. Esta página também o fala, a menos que outro seja escolhido no menu.",
  languageNotChosen: "Não escolhido: inglês",
  timeZone: "Fuso horário das mensagens",
  timeZoneHint: "Para horários em alertas e relatórios. Esta página mostra os do seu navegador.",
  zoneNotChosen: "Não escolhido: UTC",
  id: "O id dela:",
};
