import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { err, ok, type Result } from '../core/result.ts';
import { cyclesWithoutPerson, reachableFrom, reaching } from './graph.ts';
import { type NodeType, questionKinds, type Registry } from './node.ts';

const nodeId = Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' });

/** More is a mistake; it also keeps the longest way between two screens under the engine's bound on hops. */
export const maximumNodes = 50;

const nodeSchema = Type.Object(
  {
    type: Type.String({ maxLength: 64 }),
    config: Type.Record(Type.String(), Type.Unknown()),
    on: Type.Record(Type.String({ maxLength: 64 }), nodeId),
  },
  { additionalProperties: false },
);

/** A flow as a person writes and diffs it. */
export const definitionSchema = Type.Object(
  {
    start: nodeId,
    nodes: Type.Record(nodeId, nodeSchema, { additionalProperties: false, maxProperties: maximumNodes }),
  },
  { additionalProperties: false },
);

export type DefinitionDraft = Static<typeof definitionSchema>;
export type DefinitionNode = DefinitionDraft['nodes'][string];

declare const validated: unique symbol;
/** A graph that passed `validateDefinition`, defaults filled in: the only kind that the engine runs. */
export type Definition = DefinitionDraft & { readonly [validated]: true };

/** `node`: where to look, null for the graph as a whole. `sentence` says what is wrong and what mends it. */
export type Fault = { readonly node: string | null; readonly sentence: string };

/** The graph with config defaults filled in, or all its faults at once (those of shape first, alone). */
export function validateDefinition(definition: unknown, registry: Registry): Result<Definition, readonly Fault[]> {
  if (!Value.Check(definitionSchema, definition)) return err(shapeFaults(definition));
  const graph = withDefaults(definition, registry);
  const faults = [...nodeFaults(graph, registry), ...graphFaults(graph, registry)];
  return faults.length === 0 ? ok(brandDefinition(graph)) : err(faults);
}

/** The one place that makes a `Definition`. */
const brandDefinition = (graph: DefinitionDraft): Definition => graph as Definition;

/** The node of that id, or undefined; never what an object inherits. */
export const nodeOf = ({ nodes }: DefinitionDraft, id: string): DefinitionNode | undefined =>
  Object.hasOwn(nodes, id) ? nodes[id] : undefined;

export const typeOf = (registry: Registry, type: string): NodeType | undefined =>
  Object.hasOwn(registry, type) ? registry[type] : undefined;

const mostShapeFaults = 20;

function shapeFaults(definition: unknown): readonly Fault[] {
  const errors = [...Value.Errors(definitionSchema, definition)].slice(0, mostShapeFaults);
  return errors.map(({ path, message }) => {
    const [, , id] = path.startsWith('/nodes/') ? path.split('/') : [];
    return { node: id ?? null, sentence: `${path === '' ? 'The definition' : path} has the wrong shape: ${message}.` };
  });
}

function withDefaults(draft: DefinitionDraft, registry: Registry): DefinitionDraft {
  const fill = (node: DefinitionNode): DefinitionNode => {
    const type = typeOf(registry, node.type);
    return type === undefined ? node : { ...node, config: defaulted(type.config, node.config) };
  };
  const nodes = Object.entries(draft.nodes).map(([id, node]) => [id, fill(node)] as const);
  return { start: draft.start, nodes: Object.fromEntries(nodes) };
}

function defaulted(schema: TSchema, config: DefinitionNode['config']): DefinitionNode['config'] {
  const filled: unknown = Value.Default(schema, Value.Clone(config));
  return Value.Check(Type.Record(Type.String(), Type.Unknown()), filled) ? filled : config;
}

/** The faults that one node has by itself. */
function nodeFaults(graph: DefinitionDraft, registry: Registry): readonly Fault[] {
  return Object.entries(graph.nodes).flatMap(([id, node]) => {
    const type = typeOf(registry, node.type);
    const known = Object.keys(registry).join(', ');
    const sentences =
      type === undefined
        ? [`has the unknown type "${node.type}"; use one of: ${known}.`]
        : [...configSentences(type, node), ...wiringSentences(type, node, graph), ...needSentences(type)];
    return sentences.map((sentence) => ({ node: id, sentence: `Node "${id}" ${sentence}` }));
  });
}

function configSentences(type: NodeType, { config }: DefinitionNode): readonly string[] {
  return [...Value.Errors(type.config, config)].map(
    ({ path, message }) => `has a config that does not fit ${type.type}: ${path || 'config'}: ${message}; correct it.`,
  );
}

function wiringSentences(type: NodeType, { on }: DefinitionNode, graph: DefinitionDraft): readonly string[] {
  const unwired = type.outputs
    .filter((output) => !Object.hasOwn(on, output))
    .map((output) => `does not say where "${output}" leads; wire it to a node.`);
  const unknown = Object.keys(on)
    .filter((output) => !type.outputs.includes(output))
    .map((output) =>
      type.terminal
        ? `ends the run, so nothing can follow it; remove "${output}".`
        : `has no output "${output}"; it has: ${type.outputs.join(', ')}.`,
    );
  const lost = Object.entries(on)
    .filter(([, target]) => nodeOf(graph, target) === undefined)
    .map(([output, target]) => `leads by "${output}" to "${target}", which does not exist; add it or wire another.`);
  return [...unwired, ...unknown, ...lost];
}

function needSentences({ type, needs }: NodeType): readonly string[] {
  const known: readonly string[] = questionKinds;
  return needs
    .filter((need) => !known.includes(need))
    .map((need) => `needs "${need}", which this server cannot answer; use another node than ${type}.`);
}

/** The faults of the graph as a whole: start, reachability, ends, cycles. */
function graphFaults(graph: DefinitionDraft, registry: Registry): readonly Fault[] {
  if (nodeOf(graph, graph.start) === undefined) {
    return [{ node: null, sentence: `The start "${graph.start}" does not exist; name one of the nodes.` }];
  }
  // A node of unknown type is a fault already: it must not make the nodes around it look wrong too.
  const is = (id: string, property: 'asks' | 'terminal') =>
    typeOf(registry, nodeOf(graph, id)?.type ?? '')?.[property] ?? true;
  const ids = Object.keys(graph.nodes);
  const reachable = reachableFrom(graph, graph.start);
  const ending = reaching(graph, new Set(ids.filter((id) => is(id, 'terminal'))));
  const cycles = cyclesWithoutPerson(graph, (id) => is(id, 'asks'));
  return [
    ...ids
      .filter((id) => !reachable.has(id))
      .map((id) => ({ node: id, sentence: `Node "${id}" cannot be reached from the start; wire it or remove it.` })),
    ...ids
      .filter((id) => reachable.has(id) && !ending.has(id))
      .map((id) => ({ node: id, sentence: `Node "${id}" leads to no end; wire a way to a terminal node.` })),
    ...cycles.map((cycle) => ({
      node: cycle[0],
      sentence: `Node "${cycle[0]}" is in a circle that never asks the person (${[...cycle, cycle[0]].join(' → ')}); put a node that asks into it.`,
    })),
  ];
}
