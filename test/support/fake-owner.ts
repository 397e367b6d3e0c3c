import { runOwner } from '../../src/owner/run.ts'
import { adoptStream } from '../../src/sys/index.ts'
import { fakeMaker } from './cluster-fake.ts'

// The main module of an owner process whose cluster has no VMs: src/owner/main.ts with another maker.
const print = (text: string) => console.error(text)
await runOwner({ port: adoptStream(3), maker: fakeMaker, log: print, print })
process.exit(0)
