/**
 * The flow engine: what a sign-in goes through, as data and pure functions.
 *
 * Owns the graph of nodes (`definition.ts`, `nodes/`), the step function (`engine.ts`), what counts as proof
 * (`evidence.ts`, `acr.ts`) and the compact form of a run (`run_codec.ts`). It has no routes: `endpoints/interaction.ts`
 * translates a request into a `Demand`, drives `step`, answers its questions, applies its effects and maps its end.
 *
 * It must not know the protocol (no parameter, no error code), the database, HTTP, HTML or the clock.
 */
export { acrOf, acrValuesSupported } from './acr.ts';
export { defaultFlow } from './default_flow.ts';
export { type Definition, type DefinitionDraft, type Fault, validateDefinition } from './definition.ts';
export { createRun, restart, step } from './engine.ts';
export { amrOf, authTimeOf } from './evidence.ts';
export { nodeTypes } from './nodes/index.ts';
export { decodeRun, encodeRun } from './run_codec.ts';
export type { Arrival, Event, Pending, Step, StepContext, View } from './step.ts';
