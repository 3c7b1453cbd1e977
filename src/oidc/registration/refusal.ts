import { type Refusal, refusal } from '../errors.ts';

/** RFC 7591 §3.2.2. `what` names no value that was sent: `must be …`. */
export const refuseMember = (member: string, what: string, rule = 'RFC 7591 §2'): Refusal =>
  refusal(
    member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    `${member} ${onTheWire(what)}`,
    rule,
    member,
  );

/** RFC 6749 §5.2: ASCII without `"` and `\`. Rules of `client_class.ts` quote what an operator typed. */
const onTheWire = (text: string): string =>
  text
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, 'a value')
    .replaceAll('§', 'section ')
    .replaceAll(/[^ !#-[\]-~]/g, '');
