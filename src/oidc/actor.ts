import { type Static, Type } from '@sinclair/typebox';

/**
 * RFC 8693 §4.1 `act`: who acts for the subject. The outermost is the current actor; those inside acted before and only
 * tell how it came to this.
 */
export const actorSchema = Type.Recursive((Self) => Type.Object({ sub: Type.String(), act: Type.Optional(Self) }));
export type Actor = Static<typeof actorSchema>;

/** A chain grows by one with every delegation, and so does every token that carries it. */
export const mostActors = 5;

export const actorsIn = (act: Actor | undefined): number => (act === undefined ? 0 : 1 + actorsIn(act.act));

export const actingFor = (subject: { readonly act?: Actor | undefined }, actor: { readonly sub: string }): Actor =>
  subject.act === undefined ? { sub: actor.sub } : { sub: actor.sub, act: subject.act };
