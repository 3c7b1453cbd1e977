import { auditVerify } from './audit/verify.ts';
import { clientCreate } from './client/create.ts';
import { clientList } from './client/list.ts';
import { clientShow } from './client/show.ts';
import { clientUpdate } from './client/update.ts';
import type { Command } from './command.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor/index.ts';
import { keysList } from './keys/list.ts';
import { keysRotate } from './keys/rotate.ts';
import { migrate } from './migrate.ts';
import { realmCreate } from './realm/create.ts';
import { realmList } from './realm/list.ts';
import { realmShow } from './realm/show.ts';
import { realmUpdate } from './realm/update.ts';
import { registrationTokenCreate } from './registration_token/create.ts';
import { registrationTokenList } from './registration_token/list.ts';
import { registrationTokenRevoke } from './registration_token/revoke.ts';
import { secretsGenerate } from './secrets/generate.ts';
import { serve } from './serve.ts';
import { userCreate } from './user/create.ts';
import { userList } from './user/list.ts';
import { userShow } from './user/show.ts';
import { userUpdate } from './user/update.ts';

/** Every command there is, in the order of help. */
export const commands: readonly Command[] = [
  demo,
  serve,
  migrate,
  doctor,
  secretsGenerate,
  realmCreate,
  realmList,
  realmShow,
  realmUpdate,
  clientCreate,
  clientList,
  clientShow,
  clientUpdate,
  userCreate,
  userList,
  userShow,
  userUpdate,
  keysList,
  keysRotate,
  registrationTokenCreate,
  registrationTokenList,
  registrationTokenRevoke,
  auditVerify,
];
