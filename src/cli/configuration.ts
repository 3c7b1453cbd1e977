import { type ConfigWith, describeFault, type Needed, readConfig } from '../config.ts';
import type { CliDeps } from './deps.ts';

/** The configuration with what a command needs, or null after every fault was written on a line of its own. */
export function configurationFor<const Need extends Needed>(
  deps: CliDeps,
  needs: readonly Need[],
): ConfigWith<Need> | null {
  const config = readConfig(deps.environment, needs);
  if (config.ok) return config.value;
  for (const fault of config.error) deps.terminal.err(describeFault(fault));
  return null;
}
