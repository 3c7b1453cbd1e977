import { showError } from './errors.ts';
import { deleteSetting, putSetting, showSettings } from './realm_settings.ts';
import type { AdminRoute } from './route.ts';

/** Every route of the admin API, once. */
export const adminRoutes: readonly AdminRoute[] = [showError, showSettings, putSetting, deleteSetting];
