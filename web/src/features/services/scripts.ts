/** The scripts of a service, and what they ask for. */
import { record, text } from './yaml';

/** What an input of a script is asked for by. */
export type Kind = 'text' | 'list' | 'select' | 'deployment' | 'keys' | 'password';

export interface Input {
  name: string;
  label: string;
  description: string;
  required: boolean;
  kind: Kind;
  /** What there is to choose from, of a `select`. */
  options: string[];
  /** What it is if nobody says. */
  initial: string;
}

export interface Script {
  name: string;
  label: string;
  description: string;
  inputs: Input[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  list: 'list',
  select: 'select',
  deployment_select: 'deployment',
  deployment_id: 'deployment',
  ssh_key_select: 'keys',
  password: 'password',
};

/** How people write `true` in YAML, which is told of as they wrote it. */
const YES: ReadonlySet<string> = new Set(['true', 'yes', 'on']);

/** What a `scripts.yaml` says. It is people's, so whatever makes no sense is left out, and a type that nobody knows is a text. */
export function scriptsOf(raw: readonly unknown[]): Script[] {
  return raw.map(record).flatMap(({ name, label, description, inputs }) => {
    if (text(name) === '') return [];
    const asked = Array.isArray(inputs) ? inputs.map(record).flatMap(inputOf) : [];
    return [{ name: text(name), label: text(label) || text(name), description: text(description), inputs: asked }];
  });
}

function inputOf(raw: Record<string, unknown>): Input[] {
  const name = text(raw.name);
  if (name === '') return [];
  const options = Array.isArray(raw.options) ? raw.options.map(text).filter((option) => option !== '') : [];
  const initial = Array.isArray(raw.default) ? raw.default.map(text).join('\n') : text(raw.default);
  const [label, description, required] = [
    text(raw.label) || name,
    text(raw.description),
    YES.has(text(raw.required).toLowerCase()),
  ];
  return [{ name, label, description, required, kind: KINDS[text(raw.type)] ?? 'text', options, initial }];
}
