import { printTraces, readTraceAreas, traceVariable } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'
import { tell } from './output.ts'

/** Prints on standard error the messages that the environment names areas of. Refuses what is not an area. */
export function traceAsTold(env: Environment): void {
  printTraces(readTraceAreas(env[traceVariable]), tell)
}
