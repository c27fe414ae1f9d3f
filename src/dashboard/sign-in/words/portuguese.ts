import type { SignInWords } from "./english.ts";

const problems: Readonly<Record<string, string>> = {
  unknown_person:
    "Ninguém em nenhuma conta é conhecido por esta entrada. Peça um convite a um proprietário da sua conta.",
  unverified_email: "Seu provedor não verificou o seu e-mail, então não se sabe de quem é esta conta.",
  ambiguous_email: "Várias contas conhecem este e-mail. Entre por um link da conta desejada.",
  provider_unreachable: "O provedor de entrada não responde. Tente de novo em instantes.",
  provider_refused: "O provedor de entrada recusou.",
  expired: "Demorou demais. Comece de novo.",
};

export const portugueseSignIn: SignInWords = {
  title: "Entrar no Dumont",
  tagline: "Vigia máquinas alugadas e para as que queimam dinheiro.",
  userToken: "Token de usuário",
  signIn: "Entrar",
  tokenHint: "O token é enviado uma vez e não é guardado. Este navegador fica conectado até você sair.",
  withToken: "Entrar com um token de usuário",
  or: "ou",
  email: "E-mail",
  sendLink: "Enviar um link",
  linkSent: (email) =>
    `Se ${email} pertence a uma pessoa de uma conta, um link está a caminho. Ele vale uma vez, por 15 minutos.`,
  otherEmail: "Outro endereço",
  openid: (name) => `Continuar com ${name}`,
  byLink: "Entrando …",
  linkRefused: "Este link já foi usado ou expirou. Cada um vale uma vez. Peça outro.",
  alreadyIn: (name, account) => `Você entrou como ${name} na conta ${account}.`,
  useLink: "Entrar pelo link",
  stay: "Continuar como estou",
  wrongToken: "Este token não é válido.",
  notAUserToken: "Este não é um token de usuário.",
  tooMany: "Tentativas demais. Espere um minuto.",
  suspended: "Esta conta está suspensa. Fale com quem opera o serviço.",
  problem: (code) => problems[code] ?? "Não foi possível entrar. Comece de novo.",
  operator: "Página da operação",
};
