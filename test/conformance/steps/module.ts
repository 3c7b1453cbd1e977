import type { Environment } from './environment.ts';

/** A module of the official suite, by the same name. `run` throws by `must` and `skipIf`. */
export type Module = {
  readonly name: string;
  readonly summary: string;
  /** It moves the clock or the keys of the provider, so no other module may run beside it. */
  readonly alone?: true;
  readonly run: (environment: Environment) => Promise<void>;
};

export const defineModule = (module: Module): Module => module;

/** The module of a file under `modules/`. */
export async function loadModule(name: string): Promise<Module> {
  const loaded: { readonly module: Module } = await import(`../modules/${name}.ts`);
  return loaded.module;
}
