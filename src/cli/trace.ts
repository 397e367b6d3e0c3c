import { printTraces, readTraceAreas, traceVariable } from '../base/index.ts'
import type { Environment } from '../plan/index.ts'
import { tell } from './output.ts'

/** Prints the messages of the areas that XCLUSTER_TRACE names on standard error. Throws for an unknown area. */
export function traceAsTold(env: Environment): void {
  printTraces(readTraceAreas(env[traceVariable]), tell)
}
