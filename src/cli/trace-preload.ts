import { traceAsTold } from './trace.ts'

// `node --import xcluster/trace program.js` prints the traces that XCLUSTER_TRACE names, in any program.
traceAsTold(process.env)
