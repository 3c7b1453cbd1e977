/** Questions about a graph that do not depend on what its nodes do. A wire to a node that is missing counts as none. */
type Graph = { readonly nodes: { readonly [id: string]: { readonly on: { readonly [output: string]: string } } } };

const targetsOf = ({ nodes }: Graph, id: string): readonly string[] =>
  Object.hasOwn(nodes, id) ? Object.values(nodes[id]?.on ?? {}).filter((target) => Object.hasOwn(nodes, target)) : [];

/** Every node on some way from `start`, itself included. */
export function reachableFrom(graph: Graph, start: string): ReadonlySet<string> {
  const found = new Set([start]);
  // A Set is iterated in insertion order and sees what is added meanwhile: this is the whole breadth-first search.
  for (const id of found) for (const target of targetsOf(graph, id)) found.add(target);
  return found;
}

/** Every node from which some way leads into `goals`, the goals included. */
export function reaching(graph: Graph, goals: ReadonlySet<string>): ReadonlySet<string> {
  const ids = Object.keys(graph.nodes);
  const found = new Set(goals);
  for (const goal of found) for (const id of ids) if (targetsOf(graph, id).includes(goal)) found.add(id);
  return found;
}

/** One circle, in order, for each group of nodes that can go round without passing a node for which `asks` holds. */
export function cyclesWithoutPerson(
  graph: Graph,
  asks: (id: string) => boolean,
): readonly (readonly [string, ...string[]])[] {
  const silent = Object.entries(graph.nodes).filter(([id]) => !asks(id));
  const quiet: Graph = { nodes: Object.fromEntries(silent) };
  const reported = new Set<string>();
  const cycles: (readonly [string, ...string[]])[] = [];
  for (const [id] of silent) {
    const cycle = reported.has(id) ? null : shortestCycle(quiet, id);
    if (cycle === null) continue;
    cycles.push(cycle);
    for (const member of cycle) reported.add(member);
  }
  return cycles;
}

/** The shortest way from a node back to itself, without the repeated end; null: there is none. */
function shortestCycle(graph: Graph, id: string): readonly [string, ...string[]] | null {
  const cameFrom = new Map<string, string>();
  const queue = new Set([id]);
  for (const current of queue) {
    for (const target of targetsOf(graph, current)) {
      if (target === id) return [id, ...wayTo(current, id, cameFrom)];
      if (!cameFrom.has(target)) cameFrom.set(target, current);
      queue.add(target);
    }
  }
  return null;
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way: string[] = [];
  for (let at: string | undefined = end; at !== undefined && at !== start; at = cameFrom.get(at)) way.unshift(at);
  return way;
}
