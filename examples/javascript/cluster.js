// A cluster of two nodes, two routers and a tester: it goes with this process, or when it is stopped.
import { startCluster } from 'xcluster'

const cluster = await startCluster({ nvm: 2, ntesters: 1 })
try {
  const ping = await cluster.exec(1, ['ping', '-c', '1', '192.168.2.221'])
  console.log(ping.status === 0 ? 'the tester answers' : 'no answer')
} finally {
  await cluster.stop()
}
