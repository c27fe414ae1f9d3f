import type { ReplayWords, SaidSetting } from "./english.ts";

const instances = (count: number) => (count === 1 ? "1 instância" : `${count} instâncias`);

const days = (count: number) => (count === 1 ? "1 dia" : `${count} dias`);

const times = (count: number) => (count === 1 ? "uma vez" : `${count} vezes`);

const pair = (threshold: string, window: string) => `ociosidade de ${window} abaixo de ${threshold}`;

const numbers = ({ threshold, window }: SaidSetting) => pair(threshold, window);

const amount = ({ amount: of }: SaidSetting) =>
  "dollars" in of ? `${of.dollars} economizados` : `${of.hours} de hibernação`;

const kept = (said: SaidSetting) => `${said.share} da economia (${amount(said)})`;

const work = ({ interruptions, workCut }: SaidSetting) =>
  workCut === null
    ? `o trabalho ${times(interruptions)}`
    : `o trabalho ${times(interruptions)}, ${workCut} dele com a máquina desligada`;

export const portugueseReplay: ReplayWords = {
  title: "O que ela teria feito",
  hint: "O passado é reprocessado com os números digitados acima. Nada é salvo, e nenhuma máquina é tocada.",
  over: "Período",
  spans: { day: "1 dia", week: "7 dias", month: "30 dias" },
  lastDays: {
    typed: (count) => `${days(count)} com estes números`,
    before: (count) => `${days(count)} com os números anteriores`,
    list: (count) => `${days(count)}, como na lista`,
  },
  appearsHere: "Mude um número para ver aqui no que os últimos dias teriam dado com ele.",
  details: "Ver tudo",
  try: "Testar no passado",
  tryTyped: "Testar o que está digitado",
  tryAgain: "Tentar de novo",
  trying: {
    waiting: "Assim que você parar de digitar …",
    asked: "O passado está sendo reprocessado …",
    crowded: "Há testes demais no momento. Este vem em seguida, por si só.",
    running: (done, total) => `${done} de ${instances(total)} reprocessadas`,
    soFar: "Estas são as somas até agora.",
    refused: "Estes números não combinam:",
    notValid: "Estes números não combinam.",
    failed: (why) => `Não foi possível reprocessar o passado. ${why}`,
    gone: "O teste foi apagado nesse meio-tempo.",
    broken: (why) =>
      `O teste não chegou ao fim${why === null ? "" : `, porque ${why}`}: estas são as somas até onde ele chegou.`,
    brokenBecause: {
      stalled: "ele não avançou por meia hora",
      suspended: "a conta está suspensa",
      out_of_reach: "muitas instâncias não responderam",
    },
  },
  opened: (when) => `Guardado desde ${when}; pode ser de outros números que não os acima.`,
  keep: "Guardar",
  isKept: "Está guardado na lista abaixo.",
  passes: "Senão, o próximo teste toma o lugar dele.",
  compared: {
    actual: "O que houve",
    candidate: "Testada",
    in_force: "Em vigor",
    thrifty: "Econômica",
    balanced: "Equilibrada",
    careful: "Cautelosa",
  },
  measures: {
    saved: "Economizado",
    cost: "Custo",
    wasted: "Desperdiçado",
    hibernations: "Hibernações",
    interruptions: "Interrupções",
    delayed: "O trabalho esperou",
    work_cut: "Trabalho cortado",
    regrets: "Cedo demais",
    deletions: "Exclusões",
    working: "Trabalhando",
    idle: "Ociosa",
    silent: "Silenciosa",
    hibernated: "Desligada",
    unpriced: "Preço desconhecido",
  },
  measure: "Medida",
  results: "No que cada política deu",
  notes:
    "As diferenças são em relação ao que houve. “Em vigor” é o que estava salvo na hora do teste. As três últimas mantêm os seus outros números. Uma hibernação veio cedo demais se em dez minutos alguém a desfez, ou chegou trabalho.",
  unpriced: (hours) =>
    `De ${hours} de tempo de máquina ninguém sabe o preço: isso não está em nenhum dos valores.`,
  observes: "O que foi testado só observa: decide cada passo, e não dá nenhum.",
  judgesNone: "No que foi testado, a ociosidade está desligada: o tempo ocioso conta como trabalho.",
  noInstances: "Ainda não há instância que possa ser testada.",
  nothingKept: "Nenhum heartbeat desse tempo está guardado, então nada se pode dizer dele.",
  basis: {
    title: "Em que isto se baseia",
    readings: (count, written) =>
      count === 1 ? "1 heartbeat, como foi recebido." : `${written} heartbeats, como foram recebidos.`,
    coarse: (hours) =>
      `De ${hours} disto só estão guardados valores por hora: as pausas no trabalho dentro de uma hora, e o que então teria sido interrompido, não se veem.`,
    assumed: (hours) =>
      `Por ${hours} a máquina esteve mesmo desligada, e teria estado ligada: supõe-se que ficou ociosa.`,
    withoutUse: (count, written) =>
      `De ${count === 1 ? "1 heartbeat" : `${written} heartbeats`} só a GPU está guardada, e nada mais que possa ter estado em uso.`,
    model:
      "Supõe-se que ordens dão certo na hora, que a máquina é acordada quando chega trabalho e que as pessoas agem como agiram. Os preços são os de hoje.",
    skipped: (count) =>
      count === 1
        ? "Uma instância fica de fora, e não está em nenhuma das somas:"
        : `${count} instâncias ficam de fora, e não estão em nenhuma das somas:`,
    skippedBecause: {
      removed: "removida nesse meio-tempo",
      unreadable: "o que está guardado dela não pode ser lido",
      out_of_reach: "não respondeu",
      history_out_of_reach: "o histórico dela não respondeu",
    },
    skippedElse: "não pôde ser reprocessada",
  },
  interruptions: {
    title: "Trabalho que teria sido interrompido",
    none: "Nenhum: não chegou trabalho enquanto uma máquina teria estado desligada.",
    longest: (shown, all) => `As ${shown} interrupções mais longas de ${all}.`,
    at: "Chegou trabalho",
    instance: "Instância",
    evidence: "O que o mostra",
    off: "Desligada desde",
    waited: "Esperou",
    cut: "Trabalho cortado",
  },
  evidence: {
    sourceKinds: {
      work: "requisições aos servidores dela",
      scripts: "um script seu",
      other: "outra coisa que você mede",
    },
    more: (count) => `mais ${count}`,
    unread: (name) => `${name}: não pôde ser lido, o que conta como uso`,
    noReading: "sem leitura, o que conta como uso",
    hour: "trabalho naquela hora",
  },
  proposal: {
    title: "O que seria melhor",
    hint: "Outros pares destes dois números, testados nos mesmos dias. Nenhum é definido por si só.",
    unknown: "Ainda não se pode propor nada: é preciso um dia de heartbeats.",
    nothing: "Nenhum número teria economizado nada: nenhuma máquina ficou ociosa por tempo suficiente.",
    spares: (said) => `Com ${numbers(said)} você teria mantido ${kept(said)} sem interromper ninguém.`,
    keep: (said) => `O que está em vigor, ${numbers(said)}, mantém ${kept(said)} sem interromper ninguém.`,
    sparesSome: (said, other) =>
      `Com ${numbers(said)} você não teria interrompido ninguém, mas mantido só ${kept(said)}. Com ${numbers(other)} você teria mantido ${kept(other)} e interrompido ${work(other)}.`,
    interrupts: (said) =>
      `Nenhum número economiza sem interromper trabalho. O mais suave que mantém metade da economia é ${numbers(said)}: você teria mantido ${kept(said)} e interrompido ${work(said)}.`,
    alike: (said) => `Todos os números dariam no mesmo: ${amount(said)}, sem interromper ninguém.`,
    pair,
    take: "Pôr estes números no editor",
    takeShort: "Pôr no editor",
    takeOne: (what) => `Pôr no editor: ${what}`,
    taken: "Os números estão no editor. Nada foi salvo ainda.",
    chart: (pairs, most) =>
      `Economia e interrupções de ${pairs} pares de números; o que mais economiza chega a ${most}. A tabela abaixo tem cada um.`,
    axes: { dollars: "Economizado", hours: "Hibernada", interruptions: "Interrupções" },
    legend: {
      proposed: "proposto",
      frontier: "nada economiza mais e interrompe menos",
      other: "outros",
    },
    asTable: "Como tabela",
    columns: {
      window: "Hibernar após",
      threshold: "Ociosa abaixo de",
      share: "Do máximo",
      interruptions: "Interrupções",
      cut: "Trabalho cortado",
    },
    byTag: "Por etiqueta",
    tag: "Etiqueta",
    instances: "Instâncias",
    better: "O que seria melhor",
  },
  byInstance: {
    title: "Por instância",
    instance: "Instância",
    saved: "Economizado",
    hibernations: "Hibernações",
    interruptions: "Interrupções",
    better: "O que seria melhor",
    none: "Nenhuma delas foi reprocessada ainda.",
    more: "Mais",
  },
  kept: {
    title: "Testes guardados",
    none: "Nenhum ainda.",
    hint: "Os últimos 20. Escolha dois para compará-los.",
    choose: "Comparar",
    one: (what, when) => `${what}: ${when}`,
    open: "Mostrar",
    take: "Pôr no editor",
    remove: "Apagar",
    removed: "O teste foi apagado.",
    notKept: "ainda não guardado",
    states: { running: "ainda em andamento", done: null, failed: "não chegou ao fim" },
    of: (count, span) => `${instances(count)}, ${days(span)}`,
    ofInstance: (name, span) => `${name}, ${days(span)}`,
    ofTag: (tag, count, span) => `${tag} (${instances(count)}), ${days(span)}`,
    result: (saved, interruptions) =>
      `${saved === null ? "economia desconhecida" : `${saved} economizados`}, ${interruptions === 0 ? "ninguém interrompido" : `trabalho interrompido ${times(interruptions)}`}`,
    comparison: "Dois testes, comparados",
    letters: { first: "A", second: "B" },
    change: "B em relação a A",
    unlike: "Eles não são das mesmas instâncias e dos mesmos dias, então as somas não se comparam bem.",
    policies: "Onde as políticas diferem",
    alike: "As políticas são iguais.",
  },
};
