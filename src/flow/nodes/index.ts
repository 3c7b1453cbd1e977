import type { Registry } from '../node.ts';
import { allow } from './allow.ts';
import { consent } from './consent.ts';
import { deny } from './deny.ts';
import { identifier } from './identifier.ts';
import { password } from './password.ts';
import { session } from './session.ts';

/** Every node type. A new one is its file and its line here. */
export const nodeTypes: Registry = Object.freeze({ session, identifier, password, consent, allow, deny });
