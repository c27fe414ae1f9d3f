/** What is said where a machine is added. */
export const englishAdd = {
  title: "Add a machine",
  first: "Add your first machine",
  hint: "A few clicks and one command: then it is watched, and what it wastes is seen.",
  step: (number: number) => `Step ${number}`,
  change: "Change",
  where: {
    title: "Where is it rented?",
    connected: "Your connections",
    unwatched: (machines: number) =>
      machines === 0 ? "all watched" : machines === 1 ? "1 not watched" : `${machines} not watched`,
    refused: "key refused",
    another: "Connect a provider",
    anywhere: "Anywhere else",
    agent: "It stops itself",
    agentHint: "Its own agent hibernates it. Once it is silent, nobody can stop it.",
    none: "Alerts only",
    noneHint: "You are told of everything, and nobody ever stops it.",
    back: "Another place",
  },
  machine: {
    title: "Which machine?",
    listed: "Machines that nobody watches",
    loading: "Looking …",
    noneListed: (connection: string) => `${connection} shows no machine that nobody watches.`,
    refused: "The keys of this connection are refused, so no machine can be looked for.",
    renew: "Replace the key",
    byHand: "It is not in the list",
    fromList: "Choose from the list",
    lookAgain: "Look again",
    several: (machines: number) => `Watch several of the ${machines} at once`,
    one: "Add only one",
    needed: "Choose a machine first.",
  },
  protection: {
    title: "What will protect it",
    policy: "Your policy",
    observes: "Your policy only observes: each step below is told, and none is taken.",
    idle: (threshold: string, warn: string) => `Idles under ${threshold} for ${warn}: you are told.`,
    hibernates: {
      answer: (after: string) => `After ${after} of that its own agent hibernates it.`,
      call: (after: string, provider: string) => `After ${after} of that ${provider} is told to stop it.`,
      nobody: (after: string) => `After ${after} you are told again: nobody can stop it without its end.`,
    },
    idleOff: "Idleness is switched off in your policy.",
    silence: (told: string) => `Not heard for ${told}: you are told.`,
    silenceStops: (told: string, hibernate: string, provider: string) =>
      `Not heard for ${told}: you are told. After ${hibernate} ${provider} is told to stop it, again until it does.`,
    silenceOff: "Silence has no consequence under your policy.",
    nobodyStopsSilent: "Once it is silent, nobody can stop it: only its own agent could.",
    toldOnly: "Nobody ever stops it: you are told, and that is all.",
    onlyDeletes: (provider: string) =>
      `${provider} can’t stop a machine. Only deleting it ends the bill, and that needs your own word.`,
    deleted: (after: string, withSnapshot: boolean) =>
      withSnapshot
        ? `After ${after} of silence a snapshot is taken, and then it is deleted.`
        : `After ${after} of silence it is deleted, without a snapshot.`,
    neverDeleted: "It is never deleted.",
    keepAlive: "One click, here or in a message, keeps it alive for as long as you say.",
  },
  details: {
    title: "Price and tags",
  },
  submit: "Watch it",
  submitting: "Registering …",
  command: {
    title: "Run this on the machine",
    all: "It holds everything: the address of this service, the id and the token.",
    lost: "Its token was shown once and is gone with the page. A new one is made on its own page.",
  },
  heartbeat: {
    title: "First heartbeat",
    waiting: "Waiting for its first heartbeat …",
    usually: "It comes within a minute of the command.",
    arrived: (name: string) => `${name} is here.`,
    gpu: (percent: string) => `GPU ${percent}`,
    trouble: "Nothing yet? “journalctl -u dumont-agent” on the machine says what the agent does.",
  },
  open: "Open it",
  another: "Add another",
  viewer: "Adding a machine needs the role operator.",
};

export type AddWords = typeof englishAdd;
