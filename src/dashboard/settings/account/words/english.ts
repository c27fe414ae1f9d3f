export const englishAccount = {
  title: "Account",
  hint: "What it is called, and how its messages are written.",
  onlyOwners: "Only an owner changes it.",
  name: "Name",
  language: "Language of messages",
  languageHint:
    "For alerts and reports. This page speaks it too, unless another language is chosen in the menu.",
  languageNotChosen: "Not chosen: English",
  timeZone: "Time zone of messages",
  timeZoneHint: "For times in alerts and reports. This page shows times as your browser has them.",
  zoneNotChosen: "Not chosen: UTC",
  id: "Its id:",
};

export type AccountWords = typeof englishAccount;
