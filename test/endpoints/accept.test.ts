import { describe, expect, test } from 'bun:test';
import { prefers } from '../../src/endpoints/accept.ts';

const jwt = 'application/token-introspection+jwt';
const asks = (accept: string | null) => prefers(accept, jwt, 'application/json');

describe('RFC 9110 §12.5.1', () => {
  test.each([
    [jwt],
    [jwt.toUpperCase()],
    [`${jwt};q=0.1`],
    [`text/html, ${jwt}`],
    [`application/json, ${jwt}`],
    [`application/json;q=0.5, ${jwt}`],
    [`application/json; q=0.5,${jwt} ; charset=utf-8; Q=0.5`],
    [`${jwt}, */*`],
    [`${jwt};q=1.000, */*;q=0.1`],
  ])('%s asks for the JWT', (accept) => {
    expect(asks(accept)).toBe(true);
  });

  test.each([
    [null],
    [''],
    ['*/*'],
    ['application/*'],
    ['application/json'],
    ['application/jwt'],
    [`${jwt};q=0`],
    [`${jwt};q=0.000`],
    [`${jwt};q=0.4, application/json;q=0.5`],
    [`${jwt};q=2`],
    [`${jwt};q=`],
    [`${jwt};q=x`],
    [`x${jwt}`],
  ])('%p does not', (accept) => {
    expect(asks(accept)).toBe(false);
  });
});
