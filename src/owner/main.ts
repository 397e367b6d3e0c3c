import { startCluster } from '../cluster/index.ts'
import { planCluster } from '../plan/index.ts'
import { adoptStream } from '../sys/index.ts'
import { runOwner } from './run.ts'

// An owner process (bin/owner.js): fd 3 is its end of the start pipe, its output goes to the owner's log. Without
// `await` at its top, or it could not be required.
process.title = `xcluster-owner ${process.argv[2]}`
process.chdir('/')
void runOwner({
  port: adoptStream(3),
  maker: { plan: planCluster, start: startCluster },
  log: text => console.error(`${new Date().toISOString()} ${text}`),
}).then(() => process.exit(0))
