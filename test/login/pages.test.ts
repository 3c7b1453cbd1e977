import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { copyOf, locales } from '../../src/login/copy/index.ts';
import { signOutPage } from '../../src/login/pages/index.ts';
import { errorReasons, gallery, plainValues, type Values } from './gallery.ts';
import { attribute, named, type Tag, tagsOf, unescapeHtml, withId } from './markup.ts';

const pages = gallery('en');
const pageOf = (state: string): string => {
  const markup = pages.get(state);
  if (markup === undefined) throw new Error(`no page in the gallery for ${state}`);
  return markup;
};
const titleOf = (markup: string): string => /<title>([^<]*)<\/title>/.exec(markup)?.[1] ?? '';
const values = (tag: Tag | undefined, ...names: readonly string[]): readonly (string | undefined)[] =>
  names.map((name) => attribute(tag, name));

describe('every page', () => {
  test('has one main, one h1, a title with the realm, the language and its direction', () => {
    for (const locale of locales) {
      for (const [, markup] of gallery(locale)) {
        const tags = tagsOf(markup);
        expect(markup).toStartWith('<!doctype html>');
        expect(values(tags[0], 'lang', 'dir')).toEqual([locale, copyOf(locale).dir]);
        expect(tags.filter(({ name }) => name === 'main')).toHaveLength(1);
        expect(tags.filter(({ name }) => name === 'h1')).toHaveLength(1);
        expect(titleOf(markup)).toEndWith(` · ${plainValues.realmName}`);
      }
    }
  });

  test('has no id twice', () => {
    for (const [, markup] of pages) {
      const ids = tagsOf(markup).flatMap((tag) => attribute(tag, 'id') ?? []);
      expect(ids).toEqual([...new Set(ids)]);
    }
  });

  test('names the fault first in its title, and only where there is one', () => {
    const faulty = [...pages].filter(([, markup]) => titleOf(markup).startsWith('Error: ')).map(([state]) => state);
    expect(faulty).toEqual([...pages.keys()].filter((state) => /missing|refused|busy|^error/.test(state)));
  });

  test('a form posts to its action with the step and the token, whichever button is pressed', () => {
    for (const [state, markup] of pages) {
      const forms = tagsOf(markup).filter(({ name }) => name === 'form');
      for (const form of forms) expect(values(form, 'method', 'action')).toEqual(['post', '/post']);
      if (state === 'form post') continue;
      const proofs = [...named(markup, 'step'), ...named(markup, 'token')];
      expect(proofs.map((tag) => attribute(tag, 'type'))).toEqual(proofs.map(() => 'hidden'));
      expect(named(markup, 'step').map((tag) => attribute(tag, 'value'))).toEqual(forms.map(() => '3'));
      expect(named(markup, 'token').map((tag) => attribute(tag, 'value'))).toEqual(forms.map(() => plainValues.token));
    }
  });
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '=', '/', ' ', '{', '}', 'x', '!', '-'), minLength: 1 }),
  fc.constantFrom(
    '"><script>alert(1)</script>',
    '</title></style></noscript><script>',
    '<!--',
    "' onfocus=alert(1) autofocus='",
    'javascript:alert(1)',
    '{client}{page}',
    '<svg onload=x>',
  ),
);

describe('any string from outside', () => {
  const shape = (markup: string): readonly (readonly string[])[] =>
    tagsOf(markup).map((tag) => [tag.name, ...tag.attributes.map(([key]) => key)]);

  test('in any place of any page comes out inert: the elements and attributes are those of the plain page', () => {
    const foreign: fc.Arbitrary<Omit<Values, 'url'>> = fc.record({
      realmName: hostile,
      clientName: hostile,
      username: hostile,
      token: hostile,
      item: hostile,
      errorId: hostile,
      parameter: hostile,
    });
    fc.assert(
      fc.property(foreign, fc.constantFrom(...locales), (given, locale) => {
        const plain = gallery(locale);
        for (const [state, markup] of gallery(locale, { ...given, url: plainValues.url })) {
          expect(shape(markup)).toEqual(shape(plain.get(state) ?? ''));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('as a URL makes no link, picture or form that runs script', () => {
    const url = fc.oneof(
      hostile,
      fc.constantFrom('JAVASCRIPT:alert(1)', 'data:text/html,x', '\tjavascript:x', 'https://ok/'),
    );
    fc.assert(
      fc.property(url, (given) => {
        for (const [, markup] of gallery('en', { ...plainValues, url: given })) {
          for (const tag of tagsOf(markup)) {
            for (const name of ['href', 'src', 'action', 'formaction']) {
              const target = attribute(tag, name);
              if (target !== undefined)
                expect(unescapeHtml(target)).toMatch(/^(?:\/(?![/\\])|https?:\/\/|[a-z][\w+-]*\.)/i);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('identifier', () => {
  test('has the field username for names and passkeys, and submit', () => {
    const markup = pageOf('identifier');
    const field = withId(markup, 'username');
    expect(values(field, 'name', 'type', 'value', 'autocomplete')).toEqual([
      'username',
      'text',
      '',
      'username webauthn',
    ]);
    expect(values(field, 'autofocus', 'aria-invalid', 'aria-describedby')).toEqual(['', undefined, undefined]);
    expect(values(withId(markup, 'submit'), 'type', 'name')).toEqual(['submit', undefined]);
    expect(withId(markup, 'error')).toBeUndefined();
    expect(markup).toContain('to continue to <bdi>Demo web application</bdi>');
  });

  test('keeps what was typed and says what is wrong, tied to the field', () => {
    const markup = pageOf('identifier, username_missing');
    expect(values(withId(markup, 'username'), 'value', 'aria-invalid', 'aria-describedby')).toEqual([
      plainValues.username,
      'true',
      'error',
    ]);
    expect(attribute(withId(markup, 'error'), 'role')).toBe('alert');
  });

  test('names no application where there is none', () => {
    expect(pageOf('identifier, filled, no client')).not.toContain('to continue to');
  });
});

describe('password', () => {
  test('has the field password, submit first, and another account in a form that sends no password', () => {
    const markup = pageOf('password');
    expect(values(withId(markup, 'password'), 'name', 'type', 'autocomplete', 'value')).toEqual([
      'password',
      'password',
      'current-password',
      undefined,
    ]);
    const [first = '', second = ''] = markup.match(/<form[\s\S]*?<\/form>/g) ?? [];
    expect(withId(first, 'submit')).toBeDefined();
    expect(named(first, 'change_account')).toEqual([]);
    expect(named(second, 'change_account')).toHaveLength(1);
    expect(named(second, 'password')).toEqual([]);
  });

  test('tells password managers the account by a field that is neither shown nor submitted', () => {
    const fields = tagsOf(pageOf('password')).filter((tag) => attribute(tag, 'autocomplete') === 'username');
    expect(fields).toHaveLength(1);
    expect(values(fields[0], 'value', 'readonly', 'hidden', 'name', 'id')).toEqual([
      plainValues.username,
      '',
      '',
      undefined,
      undefined,
    ]);
  });

  test('a refusal says the same whoever it is for, and names the ways out', () => {
    const refusal = (username: string): string =>
      /<p class="fault"[^>]*>([^<]*)/.exec(
        gallery('en', { ...plainValues, username }).get('password, refused') ?? '',
      )?.[1] ?? '';
    expect(refusal('alice')).toBe(copyOf('en').password_refused);
    expect(refusal('nobody')).toBe(refusal('alice'));
    expect(refusal('alice')).toMatch(/Check the username.*wait.*administrator/);
  });

  test.each([
    ['password_missing', 'true'],
    ['refused', 'true'],
    ['busy', undefined],
  ])('%s: the field is described by the fault; aria-invalid is %p', (fault, invalid) => {
    const markup = pageOf(`password, ${fault}`);
    expect(values(withId(markup, 'password'), 'aria-describedby', 'aria-invalid')).toEqual(['error', invalid]);
    expect(attribute(withId(markup, 'error'), 'role')).toBe('alert');
  });
});

describe('consent', () => {
  test('has allow and deny, and nothing has the focus', () => {
    const markup = pageOf('consent');
    expect(values(withId(markup, 'allow'), 'name', 'value')).toEqual(['decision', 'allow']);
    expect(values(withId(markup, 'deny'), 'name', 'value')).toEqual(['decision', 'deny']);
    expect(markup).not.toContain('autofocus');
  });

  test('says each scope in a sentence, and one that it does not know by its name', () => {
    const markup = pageOf('consent');
    expect(markup).toContain('See your email address');
    expect(markup).toContain('<code>invoices:read</code>');
    expect(tagsOf(markup).filter(({ name }) => name === 'li')).toHaveLength(7);
  });

  test('a scope named like a property of every object has no sentence', () => {
    const markup = gallery('en', { ...plainValues, item: 'constructor' }).get('consent') ?? '';
    expect(markup).toContain('<code>constructor</code>');
  });

  test('shows logo, policy and terms where they are, and no empty list where nothing is asked for', () => {
    const full = tagsOf(pageOf('consent'));
    expect(
      values(
        full.find(({ name }) => name === 'img'),
        'src',
        'alt',
      ),
    ).toEqual(['/logo.svg', '']);
    expect(full.filter(({ name }) => name === 'a')).toHaveLength(2);
    const bare = tagsOf(pageOf('consent, bare'));
    expect(bare.filter(({ name }) => ['img', 'a', 'ul'].includes(name))).toEqual([]);
  });
});

describe('device (RFC 8628 §3.3, §5.4)', () => {
  test('names the code, the place, the agent and the time; warns before the buttons, which have no focus', () => {
    const markup = pageOf('device');
    expect(markup).toContain('<code id="user_code">BCDF-GHJK</code>');
    expect(markup).toContain('<code>203.0.113.7</code>');
    expect(markup).toContain(`<bdi>${plainValues.parameter}</bdi>`);
    expect(markup).toContain('<time datetime="2026-01-01T00:00:00.000Z">');
    expect(markup.indexOf('id="warning"')).toBeLessThan(markup.indexOf('<form'));
    expect(values(withId(markup, 'allow'), 'name', 'value')).toEqual(['decision', 'allow']);
    expect(values(withId(markup, 'deny'), 'name', 'value')).toEqual(['decision', 'deny']);
    expect(markup).not.toContain('autofocus');
  });

  test('what the device did not say is not there', () => {
    expect(tagsOf(pageOf('device, bare')).filter(({ name }) => name === 'dt')).toHaveLength(1);
  });

  test('for a stranger it says where it comes from and which resource is meant; nothing returns to an address', () => {
    const markup = pageOf('device, of a stranger');
    expect(markup).toContain(`<p class="lead" id="host">`);
    expect(markup).toContain(`Use <bdi>${plainValues.url}</bdi> in your name`);
    expect(markup).not.toContain('id="returns"');
    expect(pageOf('device')).not.toContain('id="host"');
  });

  test.each([
    ['device code', '', undefined, 'hint'],
    ['device code, filled', 'BCDF-GHJK', undefined, 'hint'],
    ['device code, missing', '', 'true', 'error hint'],
    ['device code, refused', 'BCDF-GHJK', 'true', 'error hint'],
  ])('%s: the field is filled, described and marked', (state, value, invalid, described) => {
    const field = withId(pageOf(state), 'user_code');
    expect(values(field, 'name', 'value', 'aria-invalid', 'aria-describedby')).toEqual([
      'user_code',
      value,
      invalid,
      described,
    ]);
  });
});

describe('standalone pages', () => {
  test.each([
    ['error, client_unknown', 'error', 0],
    ['error, way back', 'error', 1],
    ['signed out', 'signed-out', 0],
    ['signed out, way back', 'signed-out', 1],
    ['completed', 'completed', 1],
    ['expired', 'expired', 1],
    ['expired, alone', 'expired', 0],
    ['elsewhere', 'elsewhere', 1],
    ['device approved', 'device-approved', 0],
    ['device denied', 'device-denied', 0],
    ['device gone', 'device-gone', 1],
    ['busy', 'busy', 1],
  ])('%s has #%s and %i link', (state, id, links) => {
    const tags = tagsOf(pageOf(state)).filter(({ name }) => name === 'a');
    expect(withId(pageOf(state), id)).toBeDefined();
    expect(tags.map((tag) => attribute(tag, 'href'))).toEqual(Array.from({ length: links }, () => plainValues.url));
  });

  test('consent for a stranger says where it comes from, where the answer goes, and which resource is meant', () => {
    const stranger = (where: string) => pageOf(`consent, of a stranger, ${where}`);
    for (const where of ['on a device', 'elsewhere']) {
      expect(stranger(where)).toContain(`<p class="lead" id="host">`);
      expect(stranger(where)).toContain(`Use <bdi>${plainValues.url}</bdi> in your name`);
    }
    expect(stranger('on a device')).toContain('a program on this device');
    expect(stranger('elsewhere')).toContain(`<bdi>${plainValues.item}</bdi> gets this access`);
    expect(pageOf('consent')).not.toContain('id="returns"');
  });

  test('the error page shows the error id and a sentence of its own for each reason', () => {
    const errors = [...pages].filter(([state]) => /^error, [a-z_]+$/.test(state)).map(([, markup]) => markup);
    for (const markup of errors) expect(markup).toContain(`<code id="error_id">${plainValues.errorId}</code>`);
    expect(new Set(errors)).toHaveProperty('size', errorReasons.length);
  });

  test('signing out asks, with the fields of the request carried', () => {
    const markup = pageOf('sign out');
    expect(values(withId(markup, 'submit'), 'name', 'value')).toEqual(['decision', 'sign_out']);
    expect(values(withId(markup, 'stay'), 'name', 'value')).toEqual(['decision', 'stay']);
    expect(named(markup, 'state').map((tag) => attribute(tag, 'value'))).toEqual(['value']);
  });

  test('form post carries each parameter hidden, a button, and posts to the redirect URI', () => {
    const markup = pageOf('form post');
    expect(values(named(markup, 'code')[0], 'type', 'value')).toEqual(['hidden', 'value']);
    expect(values(named(markup, 'iss')[0], 'type', 'value')).toEqual(['hidden', plainValues.url]);
    expect(attribute(withId(markup, 'submit'), 'type')).toBe('submit');
    expect(named(markup, 'submit')).toEqual([]);
  });

  test('a form to an address that could run script is a bug and throws', () => {
    const form = { action: 'javascript:alert(1)', step: 1, token: 't' };
    expect(() => signOutPage({ username: 'a', form }, { copy: copyOf('en'), realmName: 'R' })).toThrow(
      'a form that posts',
    );
    expect(() => gallery('en', plainValues, 'data:text/html,x')).toThrow('a form that posts');
  });
});
