export { readTraceAreas, type TraceArea, traceAreas, traceVariable } from './areas.ts'
export { printTraces, traceLine } from './line.ts'
export { type Trace, type TraceDirection, type TraceMessage, traceOf } from './trace.ts'
