import type { Status } from "../../lifecycle/model/phase.ts";
import type { Language } from "../../lifecycle/model/words/said.ts";
import type { Explanation } from "../../lifecycle/views/explained-step.ts";

/** What the page behind a keep-alive link says, in both languages. */

type NextStep = NonNullable<Explanation["next_step"]>;

interface Words {
  readonly question: (name: string) => string;
  readonly status: Readonly<Record<Status, string>>;
  readonly nextStep: Readonly<Record<NextStep, string>>;
  readonly is: string;
  readonly why: string;
  readonly costs: string;
  readonly anHour: (dollars: string) => string;
  readonly next: string;
  readonly keepFor: string;
  readonly hours: (count: number) => string;
  readonly hibernate: string;
  readonly hibernateMeans: string;
  readonly hibernateNow: string;
  readonly toInstance: string;
  readonly kept: string;
  readonly keptUntil: (name: string, until: string) => string;
  readonly hibernating: string;
  readonly hibernatingNow: (name: string) => string;
  readonly used: string;
  readonly usedExplanation: string;
  readonly notPossible: string;
  readonly notNow: string;
  readonly tryAgain: string;
  readonly over: string;
  readonly overExplanation: string;
  readonly notUnderstood: string;
}

export const WORDS: Readonly<Record<Language, Words>> = {
  en: {
    question: (name) => `Keep ${name} alive?`,
    status: {
      pending: "waiting for its first heartbeat",
      running: "running",
      orphaned: "silent",
      hibernating: "being hibernated",
      hibernated: "hibernated",
      waking: "waking",
      deleting: "being deleted",
      deleted: "deleted",
    },
    nextStep: {
      warn: "Idle warning",
      hibernate: "Hibernation",
      orphan: "Counts as an orphan",
      never_heard: "Counts as never heard",
      force_hibernate: "Forced hibernation",
      delete: "Deletion",
      wake: "Wake",
    },
    is: "Now",
    why: "Why",
    costs: "Costs",
    anHour: (dollars) => `${dollars} an hour`,
    next: "Next",
    keepFor: "Keep it alive for",
    hours: (count) => (count === 1 ? "1 hour" : `${count} hours`),
    hibernate: "Hibernate it now instead",
    hibernateMeans: "Its hooks save its work first, if it has any. Then it is stopped at its provider.",
    hibernateNow: "Hibernate now",
    toInstance: "Open the instance",
    kept: "Kept alive",
    keptUntil: (name, until) => `${name} is kept alive until ${until}. Nothing is done to it before.`,
    hibernating: "It is being hibernated",
    hibernatingNow: (name) =>
      `${name} is hibernated as soon as its work is saved. You are told if that fails.`,
    used: "Used already",
    usedExplanation: "This link was used before. It works once.",
    notPossible: "Not possible",
    notNow: "Not possible right now",
    tryAgain: "The service can't reach the instance at this moment. Try again in a minute.",
    over: "This link is over",
    overExplanation: "It is too old, or its instance is not watched any more, or it was never one of ours.",
    notUnderstood: "This is none of the choices that the page offers. Go back, and choose one of them.",
  },
  "pt-BR": {
    question: (name) => `Manter ${name} ativa?`,
    status: {
      pending: "aguardando o primeiro heartbeat",
      running: "rodando",
      orphaned: "sem dar sinal",
      hibernating: "em hibernação",
      hibernated: "hibernada",
      waking: "acordando",
      deleting: "sendo excluída",
      deleted: "excluída",
    },
    nextStep: {
      warn: "Aviso de ociosidade",
      hibernate: "Hibernação",
      orphan: "Passa a ser órfã",
      never_heard: "Passa a constar como nunca ouvida",
      force_hibernate: "Hibernação forçada",
      delete: "Exclusão",
      wake: "Despertar",
    },
    is: "Agora",
    why: "Por quê",
    costs: "Custa",
    anHour: (dollars) => `${dollars} por hora`,
    next: "A seguir",
    keepFor: "Manter ativa por",
    hours: (count) => (count === 1 ? "1 hora" : `${count} horas`),
    hibernate: "Prefiro hibernar agora",
    hibernateMeans: "Antes, os hooks salvam o trabalho, se houver. Depois ela é parada no provedor.",
    hibernateNow: "Hibernar agora",
    toInstance: "Abrir a instância",
    kept: "Mantida ativa",
    keptUntil: (name, until) => `${name} fica ativa até ${until}. Antes disso, nada é feito com ela.`,
    hibernating: "A hibernação começou",
    hibernatingNow: (name) =>
      `${name} será hibernada assim que o trabalho estiver salvo. Se isso falhar, você será avisado.`,
    used: "Já usado",
    usedExplanation: "Este link já foi usado. Ele funciona uma única vez.",
    notPossible: "Não é possível",
    notNow: "Não é possível agora",
    tryAgain: "O serviço não consegue acessar a instância neste momento. Tente de novo em um minuto.",
    over: "Este link não vale mais",
    overExplanation: "Ele é antigo demais, ou a instância não é mais vigiada, ou nunca foi nosso.",
    notUnderstood: "Esta não é uma das opções da página. Volte e escolha uma delas.",
  },
};
