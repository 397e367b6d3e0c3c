import { traceAsTold } from './trace.ts'

// `node --import xcluster/trace program.js`: what XCLUSTER_TRACE names is printed, in a program of any user's.
traceAsTold(process.env)
