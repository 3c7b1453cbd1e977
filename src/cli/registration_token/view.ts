import type { RegistrationTokenRecord } from '../../store/registration_tokens.ts';
import { shownInstant } from '../realm/view.ts';

/** Never the hash. */
export const registrationTokenDocument = ({ id, note, usesLeft, expiresAt, createdAt }: RegistrationTokenRecord) => ({
  id,
  note,
  uses_left: usesLeft,
  expires_at: expiresAt === null ? null : shownInstant(expiresAt),
  created_at: shownInstant(createdAt),
});

export function usesInWords({ usesLeft }: RegistrationTokenRecord): string {
  if (usesLeft === null) return 'any number of clients';
  return usesLeft === 1 ? '1 client' : `${usesLeft} clients`;
}
