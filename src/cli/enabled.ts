import { err, ok, type Result } from '../core/result.ts';
import type { Option } from './command.ts';

export const enableOption = { type: 'flag', sentence: 'Let it be used again.' } as const satisfies Option;
export const disableOption = {
  type: 'flag',
  sentence: 'Refuse it until it is enabled again.',
} as const satisfies Option;

export function enabledOf(values: {
  readonly enable: boolean;
  readonly disable: boolean;
}): Result<{ readonly enabled?: boolean }, readonly string[]> {
  if (values.enable && values.disable) return err(['--enable and --disable contradict each other']);
  return ok(values.enable || values.disable ? { enabled: values.enable } : {});
}
