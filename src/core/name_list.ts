import { Type } from '@sinclair/typebox';

/** A setting that names several things, with a space between; the empty one names nothing. */
export const nameList = (description: string) =>
  Type.String({ pattern: '^([!#-[\\]-~]+( [!#-[\\]-~]+)*)?$', maxLength: 4096, description });

export const namesIn = (text: string): readonly string[] => text.split(' ').filter((name) => name !== '');

export const addsNames = (before: string, after: string): boolean =>
  !namesIn(after).every((name) => namesIn(before).includes(name));
