import { Type } from '@sinclair/typebox';

/** The config of a node that has nothing to set; a key in it is a mistake that publishing reports. */
export const noConfig = Type.Object({}, { additionalProperties: false });
