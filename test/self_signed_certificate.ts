import { createSign, generateKeyPairSync } from 'node:crypto';

/** PEM texts of a certificate for `localhost` and 127.0.0.1 that is its own authority, for an hour (RFC 5280 §4.1). */
export function selfSignedCertificate(now: Date): { readonly certificate: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid(commonName), tag(0x0c, Buffer.from('localhost')))));
  const hourMilliseconds = 3_600_000;
  const validity = sequence(time(new Date(+now - hourMilliseconds)), time(new Date(+now + hourMilliseconds)));
  const alternatives = sequence(tag(0x82, Buffer.from('localhost')), tag(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = sequence(
    sequence(oid(subjectAltName), tag(0x04, alternatives)),
    sequence(oid(basicConstraints), yes, tag(0x04, sequence(yes))),
  );
  const content = sequence(
    tag(0xa0, integer(2)),
    integer(1),
    sequence(oid(ecdsaWithSha256)),
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, extensions),
  );
  const signature = createSign('sha256').update(content).sign(privateKey);
  const bits = tag(0x03, Buffer.concat([Buffer.of(0), signature]));
  const certificate = pem('CERTIFICATE', sequence(content, sequence(oid(ecdsaWithSha256)), bits));
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Object identifiers in their encoded form. */
const commonName = '550403';
const subjectAltName = '551d11';
const basicConstraints = '551d13';
const ecdsaWithSha256 = '2a8648ce3d040302';

/** DER (X.690): tag, length, content. */
function tag(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(number, ...size), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tag(0x30, Buffer.concat(parts));
const set = (...parts: readonly Buffer[]): Buffer => tag(0x31, Buffer.concat(parts));
const integer = (value: number): Buffer => tag(0x02, Buffer.of(value));
const oid = (hex: string): Buffer => tag(0x06, Buffer.from(hex, 'hex'));
const yes = tag(0x01, Buffer.of(0xff));

/** UTCTime, `YYMMDDHHMMSSZ`. */
const time = (at: Date): Buffer =>
  tag(
    0x17,
    Buffer.from(
      `${at
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );

const pem = (label: string, der: Buffer): string =>
  [`-----BEGIN ${label}-----`, ...(der.toString('base64').match(/.{1,64}/g) ?? []), `-----END ${label}-----\n`].join(
    '\n',
  );
