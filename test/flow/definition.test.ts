import { describe, expect, test } from 'bun:test';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { type DefinitionDraft, maximumNodes, validateDefinition } from '../../src/flow/definition.ts';
import { defaultFlow, nodeTypes } from '../../src/flow/index.ts';
import { defineNode, type Registry } from '../../src/flow/node.ts';
import { session } from '../../src/flow/nodes/session.ts';

const faultsOf = (draft: unknown, registry: Registry = nodeTypes): readonly string[] => {
  const result = validateDefinition(draft, registry);
  return result.ok ? [] : result.error.map(({ sentence }) => sentence);
};

type Nodes = DefinitionDraft['nodes'];
const changed = (nodes: { readonly [id: string]: unknown }, start = 'session') => ({
  start,
  nodes: { ...defaultFlow.nodes, ...nodes },
});
const node = (
  type: string,
  on: { readonly [output: string]: string } = {},
  config: { readonly [key: string]: unknown } = {},
) => ({
  type,
  config,
  on,
});

describe('validateDefinition', () => {
  test('the default flow is valid, and survives JSON', () => {
    const result = validateDefinition(JSON.parse(JSON.stringify(defaultFlow)), nodeTypes);
    expect(result.ok && JSON.parse(JSON.stringify(result.value))).toEqual(defaultFlow);
  });

  const faulty: readonly [string, unknown, string][] = [
    ['an unknown type', changed({ deny: node('refuse') }), 'Node "deny" has the unknown type "refuse"; use one of: '],
    ['an inherited type', changed({ deny: node('constructor') }), 'Node "deny" has the unknown type "constructor"'],
    [
      'a config that the type does not have',
      changed({ deny: node('deny', {}, { is_failure: false }) }),
      'Node "deny" has a config that does not fit deny: /is_failure: Unexpected property; correct it.',
    ],
    [
      'an unwired output',
      changed({ consent: node('consent', { granted: 'allow' }) }),
      'Node "consent" does not say where "denied" leads; wire it to a node.',
    ],
    [
      'an unknown output',
      changed({ identifier: node('identifier', { next: 'password', skip: 'allow' }) }),
      'Node "identifier" has no output "skip"; it has: next.',
    ],
    [
      'something after a terminal',
      changed({ deny: node('deny', { next: 'allow' }) }),
      'Node "deny" ends the run, so nothing can follow it; remove "next".',
    ],
    [
      'an unknown target',
      changed({ identifier: node('identifier', { next: 'pasword' }) }),
      'Node "identifier" leads by "next" to "pasword", which does not exist; add it or wire another.',
    ],
    [
      'an inherited target',
      changed({ identifier: node('identifier', { next: 'constructor' }) }),
      'Node "identifier" leads by "next" to "constructor", which does not exist; add it or wire another.',
    ],
    ['an unknown start', changed({}, 'begin'), 'The start "begin" does not exist; name one of the nodes.'],
    [
      'an unreachable node',
      changed({ stray: node('deny') }),
      'Node "stray" cannot be reached from the start; wire it or remove it.',
    ],
    [
      'a circle that never asks',
      changed({
        session: node('session', { found: 'again', none: 'identifier' }),
        again: node('session', { found: 'session', none: 'consent' }),
      }),
      'Node "session" is in a circle that never asks the person (session → again → session); put a node that asks into it.',
    ],
    [
      'a node that leads to itself',
      changed({ session: node('session', { found: 'consent', none: 'session' }) }),
      'Node "session" is in a circle that never asks the person (session → session); put a node that asks into it.',
    ],
    [
      'no way to an end',
      { start: 'identifier', nodes: { identifier: node('identifier', { next: 'identifier' }) } },
      'Node "identifier" leads to no end; wire a way to a terminal node.',
    ],
  ];
  test.each(faulty)('%s: a sentence that names node and fix', (_, draft, sentence) => {
    expect(faultsOf(draft).some((fault) => fault.startsWith(sentence))).toBe(true);
  });

  test('a circle through a node that asks is allowed', () => {
    expect(defaultFlow.nodes['password']?.on['change_account']).toBe('identifier');
    expect(faultsOf(defaultFlow)).toEqual([]);
  });

  test('all faults at once', () => {
    const draft = changed({ deny: node('refuse'), stray: node('allow', { on: 'deny' }) });
    expect(faultsOf(draft).length).toBe(3);
  });

  test('two circles: one sentence for each', () => {
    const draft = changed({
      session: node('session', { found: 'session', none: 'second' }),
      second: node('session', { found: 'second', none: 'identifier' }),
    });
    expect(faultsOf(draft).filter((fault) => fault.includes('circle')).length).toBe(2);
  });

  const many: Nodes = Object.fromEntries(Array.from({ length: maximumNodes + 1 }, (_, n) => [`n${n}`, node('deny')]));
  const shapes: readonly [string, unknown, string][] = [
    ['no object', null, 'The definition has the wrong shape'],
    ['no nodes', { start: 'allow' }, '/nodes has the wrong shape'],
    ['a key too many', { ...defaultFlow, scripts: [] }, '/scripts has the wrong shape'],
    ['a node without wires', changed({ deny: { type: 'deny', config: {} } }), '/nodes/deny/on has the wrong shape'],
    ['a node id that is no name', changed({ 'Log in': node('deny') }), '/nodes/Log in has the wrong shape'],
    [
      'a prototype key',
      JSON.parse('{"start":"a","nodes":{"__proto__":{"type":"allow","config":{},"on":{}}}}'),
      '/nodes/__proto__ has',
    ],
    ['too many nodes', { start: 'n0', nodes: many }, '/nodes has the wrong shape'],
  ];
  test.each(shapes)('%s: refused with the place', (_, draft, sentence) => {
    expect(faultsOf(draft).some((fault) => fault.startsWith(sentence))).toBe(true);
  });

  test('a shape fault within a node names the node', () => {
    const result = validateDefinition(changed({ deny: { type: 'deny', config: {} } }), nodeTypes);
    expect(result.ok ? [] : result.error.map(({ node }) => node)).toEqual(['deny', 'deny']);
  });

  test('defaults of a config are filled in, and the draft is left as it was', () => {
    const wait = defineNode({
      type: 'wait',
      summary: 'For this test.',
      config: Type.Object({ tries: Type.Integer({ default: 3 }) }, { additionalProperties: false }),
      outputs: [],
      terminal: true,
      asks: false,
      needs: [],
      enter: () => ({ kind: 'fail', reason: 'denied' }),
    });
    const draft = { start: 'end', nodes: { end: node('wait') } };
    const result = validateDefinition(draft, { wait });
    expect(result.ok && result.value.nodes['end']?.config).toEqual({ tries: 3 });
    expect(draft.nodes.end.config).toEqual({});
    expect(faultsOf({ start: 'end', nodes: { end: node('wait', {}, { tries: 'many' }) } }, { wait })).toEqual([
      'Node "end" has a config that does not fit wait: /tries: Expected integer; correct it.',
    ]);
  });

  test('a node that needs what this server cannot answer: refused', () => {
    const registry: Registry = { ...nodeTypes, session: { ...session, needs: JSON.parse('["retina"]') } };
    expect(faultsOf(defaultFlow, registry)).toEqual([
      'Node "session" needs "retina", which this server cannot answer; use another node than session.',
    ]);
  });

  test('property: in every valid graph each node is reachable and no silent circle exists', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const target = fc.constantFrom(...ids);
    const anyNode = fc.oneof(
      fc.record({ found: target, none: target }).map((on) => node('session', on)),
      fc.record({ next: target }).map((on) => node('identifier', on)),
      fc.constant(node('allow')),
    );
    const graphs = fc.array(anyNode, { minLength: 1, maxLength: 5 }).map((nodes) => ({
      start: 'a',
      nodes: Object.fromEntries(nodes.map((each, index) => [ids[index] ?? '', each])),
    }));
    let valid = 0;
    fc.assert(
      fc.property(graphs, (draft) => {
        if (faultsOf(draft).length > 0) return;
        valid += 1;
        const targets = (id: string): string[] => Object.values(draft.nodes[id]?.on ?? {});
        const walk = (from: string, silent: boolean, depth: number, found: Set<string>): void => {
          found.add(from);
          expect(depth).toBeLessThanOrEqual(ids.length);
          if (silent && draft.nodes[from]?.type === 'identifier') return;
          if (!silent && depth === ids.length) return;
          for (const next of targets(from)) walk(next, silent, depth + 1, found);
        };
        for (const id of Object.keys(draft.nodes))
          if (draft.nodes[id]?.type === 'session') walk(id, true, 0, new Set());
        const found = new Set<string>();
        walk('a', false, 0, found);
        expect([...found].sort()).toEqual(Object.keys(draft.nodes).sort());
      }),
      { numRuns: 500 },
    );
    expect(valid).toBeGreaterThan(10);
  });
});
