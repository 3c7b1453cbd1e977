import type { Static, TObject, TProperties } from '@sinclair/typebox';
import { TypeCompiler, ValueErrorType } from '@sinclair/typebox/compiler';
import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from './errors.ts';

/**
 * The one parser of `application/x-www-form-urlencoded` protocol parameters (RFC 6749 §3.1, §3.2, Appendix B): a repeated
 * parameter is a fault, an empty one is absent, malformed encoding is a fault and never a guess.
 */
export type FormFault = { readonly parameter: string | null; readonly description: string };

export type Form = {
  /** Each parameter that was sent exactly once; repeatable ones as a list. */
  readonly values: { readonly [name: string]: string | readonly string[] };
  readonly faults: readonly FormFault[];
};

/** RFC 8707 §2 and RFC 8693 §2.1 let these be sent more than once; nothing else may be. */
const repeatable: ReadonlySet<string> = new Set(['resource', 'audience']);

const mostParameters = 100;

export function parseForm(text: string): Form {
  const seen = new Map<string, string[]>();
  const faults: FormFault[] = [];
  const pairs = text.split('&', mostParameters + 1);
  if (pairs.length > mostParameters) return { values: {}, faults: [fault(null, 'too many parameters')] };
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name === undefined) {
      faults.push(fault(null, 'a parameter name is not valid percent-encoded UTF-8'));
      continue;
    }
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (value === undefined) faults.push(fault(name, 'is not valid percent-encoded UTF-8 without control characters'));
    const former = seen.get(name);
    if (former === undefined) seen.set(name, [value ?? '']);
    else former.push(value ?? '');
  }
  const values: { [name: string]: string | readonly string[] } = Object.create(null);
  for (const [name, sent] of seen) {
    if (repeatable.has(name)) values[name] = sent.filter((value) => value !== '');
    else if (sent.length > 1) faults.push(fault(name, 'is sent more than once'));
    else if (sent[0] !== undefined && sent[0] !== '') values[name] = sent[0];
  }
  return { values, faults };
}

const fault = (parameter: string | null, description: string): FormFault => ({ parameter, description });

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '));
    return hasControlCharacter(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** What percent-encoding cannot bring in, JSON must not either: a database and a page would both trip over it. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) || code === 0x7f) return true;
  }
  return false;
}

/** The value of a parameter that was sent exactly once. */
export function single(form: Form, name: string): string | undefined {
  const value = form.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** For an endpoint that refuses every malformed request, also where the fault is in a parameter that it does not know. */
export function firstFault(form: Form): Refusal | null {
  const [first] = form.faults;
  return first === undefined ? null : refusalOfFault(first);
}

export const refusalOfFault = ({ parameter, description }: FormFault): Refusal =>
  refusal(
    'invalid_request',
    parameter === null ? description : `${isName(parameter) ? parameter : 'a parameter'} ${description}`,
    'RFC 6749 §3.1',
    parameter !== null && isName(parameter) ? parameter : undefined,
  );

/** What was sent as a name is shown and logged only if it is spelled like one of OAuth: it may be a secret. */
const isName = (text: string): boolean => /^[a-z_]{1,40}$/.test(text);

export type ParameterReader<Properties extends TProperties> = {
  readonly names: readonly string[];
  readonly read: (form: Form) => Result<Static<TObject<Properties>>, Refusal>;
};

/**
 * Compiles an endpoint's parameter schema. The reader takes the known parameters only and names the first that is wrong: a
 * known one that is sent twice is a fault and never merely absent; a fault of an unknown one does not matter (RFC 6749 §3.1).
 */
export function defineParameters<Properties extends TProperties>(
  schema: TObject<Properties>,
): ParameterReader<Properties> {
  const names = Object.keys(schema.properties);
  const compiled = TypeCompiler.Compile(schema);
  return {
    names,
    read(form) {
      const fault = form.faults.find(({ parameter }) => parameter === null || names.includes(parameter));
      if (fault !== undefined) return err(refusalOfFault(fault));
      const known: { [name: string]: unknown } = {};
      for (const name of names) {
        const value = form.values[name];
        if (value !== undefined) known[name] = value;
      }
      if (compiled.Check(known)) return ok(known);
      const [first] = compiled.Errors(known);
      const name = first?.path.split('/')[1] ?? '';
      const missing = first?.type === ValueErrorType.ObjectRequiredProperty;
      return err(
        refusal(
          'invalid_request',
          `${name} is ${missing ? 'missing' : 'malformed or too long'}`,
          'RFC 6749 §3.1',
          name,
        ),
      );
    },
  };
}
