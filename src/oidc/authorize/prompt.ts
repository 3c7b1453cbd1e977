import { err, ok, type Result } from '../../core/result.ts';
import { type Refusal, refusal } from '../errors.ts';

/** OIDC Core §3.1.2.1. */
export const promptValuesSupported = ['none', 'login', 'consent', 'select_account'] as const;
export type Prompt = (typeof promptValuesSupported)[number];

const isPrompt = (text: string): text is Prompt => promptValuesSupported.some((value) => value === text);

export function checkPrompt(sent: string | undefined): Result<readonly Prompt[], Refusal> {
  const values = [...new Set(sent?.split(' ').filter((value) => value !== '') ?? [])];
  if (!values.every(isPrompt)) return err(refuse('prompt holds an unknown value'));
  if (values.includes('none') && values.length > 1)
    return err(refuse('prompt none cannot be combined with another value'));
  return ok(values);
}

const refuse = (description: string): Refusal =>
  refusal('invalid_request', description, 'OIDC Core §3.1.2.1', 'prompt');
