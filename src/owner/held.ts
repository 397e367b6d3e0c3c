export { type Answering, Listener } from './http/listener.ts'
export { serve } from './http/server.ts'
export { Owner } from './owner.ts'
export { type Claim, claim } from './runtime-directory.ts'
