// A cluster of two nodes, two routers and a tester: it goes with the block, or with this process.
import { startCluster } from 'xcluster'

await using cluster = await startCluster({ nvm: 2, ntesters: 1 })
const ping = await cluster.exec(1, ['ping', '-c', '1', '192.168.2.221'])
console.log(ping.status === 0 ? 'the tester answers' : 'no answer')
