import { runPasswordWorker } from '../../src/workers/password/index.ts';

/** Stands for `main.ts password-worker`. */
runPasswordWorker();
