import { indentedLines } from '../base/index.ts'
import { forkShared, startCluster } from '../cluster/index.ts'
import { planCluster } from '../plan/index.ts'
import { adoptStream } from '../sys/index.ts'
import { runOwner } from './run.ts'

// The main module of an owner process (bin/owner.js). File descriptor 3 is its end of the start pipe; its output is the
// owner's log. It has no top-level `await`: a module with one cannot be packed as CommonJS.
process.title = `xcluster-owner ${process.argv[2]}`
process.chdir('/')
const print = (line: string) => console.error(line)
void runOwner({
  port: adoptStream(3),
  maker: {
    plan: planCluster,
    start: (settings, { from, ...hooks }) => (from ? forkShared(from, hooks) : startCluster(settings, hooks)),
  },
  print,
  log: text => print(`${new Date().toISOString()} ${indentedLines(text)}`),
}).then(() => process.exit(0))
