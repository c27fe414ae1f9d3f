declare module "*/dumont-agent" {
  const text: string;
  export default text;
}
