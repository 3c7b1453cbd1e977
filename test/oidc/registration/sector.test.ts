import { describe, expect, test } from 'bun:test';
import { err, ok } from '../../../src/core/result.ts';
import { checkSectorDocument } from '../../../src/oidc/registration/sector.ts';
import { granted, refused } from '../parties.ts';

const [one, two] = ['https://a.example/cb', 'https://b.example/cb'];

describe('OIDC Registration §5 sector document', () => {
  test.each([[[one, two]], [[two, one, 'https://c.example/']]])('%j has both', (document) => {
    expect(granted(checkSectorDocument(ok(document), [one, two]))).toBeNull();
  });

  test.each([[[one]], [[]], [{ redirect_uris: [one, two] }], [one], [null], [[one, two, 1]], [[`${one}/`, two]]])(
    '%j does not',
    (document) => {
      expect(refused(checkSectorDocument(ok(document), [one, two]))).toMatchObject({
        error: 'invalid_client_metadata',
        parameter: 'sector_identifier_uri',
      });
    },
  );

  test('one that could not be had refuses too, and says why', () => {
    const { description } = refused(checkSectorDocument(err('there was no answer'), []));
    expect(description).toContain('there was no answer');
  });
});
