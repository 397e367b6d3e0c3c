export { withTopology } from './given.ts'
export { topologyText } from './print.ts'
export { readTopology } from './read.ts'
export { jsonSchema } from './schema.ts'
